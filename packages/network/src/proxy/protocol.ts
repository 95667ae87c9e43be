/** A port of the host and where it leads. */
export interface ProxyPort {
  proto: "tcp" | "udp";
  hostIp: string;
  hostPort: number;
  containerIp: string;
  containerPort: number;
}

/** One request a line, as JSON; answered by one line with the same `id`. */
export type ProxyRequest =
  | { id: number; op: "publish" | "unpublish"; port: ProxyPort }
  | { id: number; op: "list" };

export type ProxyAnswer = { id: number; error: string; code?: string } | { id: number; ports?: ProxyPort[] };

export function portKey({ proto, hostIp, hostPort }: ProxyPort): string {
  return `${proto}/${hostIp}/${hostPort}`;
}

/** Cuts a stream of text into lines. */
export function lines(take: (line: string) => void): (chunk: string) => void {
  let rest = "";
  return (chunk) => {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) take(line);
  };
}
