import type { PublishedPort } from "./published-port.ts";
import type { DnsNetwork, DnsPorts, DnsSandbox } from "./dns.ts";

export * from "./dns.ts";
export * from "./published-port.ts";

/** One request a line, as JSON with an `id`; answered by one line with the same `id`. */
export type ProxyRequest =
  | { op: "publish" | "unpublish"; port: PublishedPort }
  | { op: "list" }
  | { op: "dns-networks"; networks: DnsNetwork[] }
  | { op: "dns-serve"; sandbox: DnsSandbox }
  | { op: "dns-stop"; containerId: string };

export interface ProxyAnswer {
  /** A refusal: what went wrong, and the errno name if there is one. */
  error?: string;
  code?: string;
  /** To `list`. */
  ports?: PublishedPort[];
  /** To `dns-serve`; `fresh` when the sockets were opened just now. */
  dns?: DnsPorts;
  fresh?: boolean;
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
