import type { DnsNetwork, DnsPorts, DnsSandbox } from "./dns.ts";

export * from "./dns.ts";

/** A port of the host and where it leads. */
export interface ProxyPort {
  proto: "tcp" | "udp";
  hostIp: string;
  hostPort: number;
  containerIp: string;
  containerPort: number;
}

/** One request a line, as JSON with an `id`; answered by one line with the same `id`. */
export type ProxyRequest =
  | { op: "publish" | "unpublish"; port: ProxyPort }
  | { op: "list" }
  | { op: "dns-networks"; networks: DnsNetwork[] }
  | { op: "dns-serve"; sandbox: DnsSandbox }
  | { op: "dns-stop"; containerId: string };

export interface ProxyAnswer {
  /** A refusal: what went wrong, and the errno name if there is one. */
  error?: string;
  code?: string;
  /** To `list`. */
  ports?: ProxyPort[];
  /** To `dns-serve`; `fresh` when the sockets were opened just now. */
  dns?: DnsPorts;
  fresh?: boolean;
}

export function portKey({ proto, hostIp, hostPort }: ProxyPort): string {
  return `${proto}/${hostIp}/${hostPort}`;
}

/** Cuts a stream of text into lines. */
export function lines(take: (line: string) => void): (chunk: string | Buffer) => void {
  let rest = "";
  return (chunk) => {
    const parts = (rest + chunk.toString()).split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) take(line);
  };
}
