import { InvalidArgument } from "@longshore/errdefs";
import type { PortMap } from "@longshore/api";
import type { PortRange } from "./allocator.ts";

/** One port of a container to publish on one or two (IPv4 and IPv6 wildcard) addresses of the host. */
export interface PortWish {
  /** `80/tcp` */
  key: string;
  proto: "tcp" | "udp" | "sctp";
  containerPort: number;
  hostIps: string[];
  /** Absent: any free port. */
  range?: PortRange;
}

/** Splits `80/tcp`. @throws InvalidArgument */
function parsePort(key: string): { port: number; proto: PortWish["proto"] } {
  const [number = "", proto = "tcp", ...rest] = key.split("/");
  if (!/^\d{1,5}$/.test(number) || Number(number) > 65_535 || rest.length > 0) throw new InvalidArgument(`invalid port specification: "${key}"`);
  if (proto !== "tcp" && proto !== "udp" && proto !== "sctp") throw new InvalidArgument(`invalid proto: ${proto}`);
  return { port: Number(number), proto };
}

function parseRange(text: string): PortRange | undefined {
  if (text === "" || text === "0") return undefined;
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const begin = Number(match?.[1]);
  const end = Number(match?.[2] ?? match?.[1]);
  if (!match || end > 65_535 || begin > end) throw new InvalidArgument(`invalid port specification: "${text}"`);
  return { begin, end };
}

/**
 * What is to be published: the bindings, and with `publishAll` each exposed port that has none.
 * Wishes for one port come first, then ranges, then those for any port, so that nobody takes a
 * port from under another's fixed wish.
 * @param wildcards what an empty HostIp stands for
 */
export function portWishes(bindings: PortMap, exposed: readonly string[], publishAll: boolean, wildcards: readonly string[]): PortWish[] {
  const all = new Map(Object.entries(bindings).map(([key, list]) => [key, list ?? []]));
  if (publishAll) {
    for (const key of exposed) if ((all.get(key) ?? []).length === 0) all.set(key, [{ HostIp: "", HostPort: "" }]);
  }
  const wishes = [...all].flatMap(([key, list]) => {
    const { port: containerPort, proto } = parsePort(key);
    return list.map(({ HostIp, HostPort }): PortWish => {
      const range = parseRange(HostPort);
      return { key, proto, containerPort, hostIps: HostIp === "" ? [...wildcards] : [HostIp], ...(range ? { range } : {}) };
    });
  });
  const freedom = ({ range }: PortWish) => (range ? range.end - range.begin : 65_536);
  return wishes.sort((a, b) => freedom(a) - freedom(b) || a.containerPort - b.containerPort);
}
