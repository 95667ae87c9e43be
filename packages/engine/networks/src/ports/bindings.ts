import { InvalidArgument } from "@longshore/errdefs";
import { canonicalPort, type ContainerPort, parsePort, type PortBinding, type PortMap } from "@longshore/docker-api";
import { canonicalAddress, parseAddress } from "@longshore/ip";
import type { PortRange } from "./allocator.ts";

/** One port of a container to publish on one or two (IPv4 and IPv6 wildcard) addresses of the host. */
export interface PortWish extends ContainerPort {
  hostIps: string[];
  /** Absent: any free port. */
  range?: PortRange;
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
export function portWishes(
  bindings: PortMap,
  exposed: readonly string[],
  publishAll: boolean,
  wildcards: readonly string[],
): PortWish[] {
  const all = new Map<string, PortBinding[]>();
  for (const [text, list] of Object.entries(bindings)) {
    const key = canonicalPort(text);
    all.set(key, [...(all.get(key) ?? []), ...(list ?? [])]);
  }
  if (publishAll) {
    for (const key of exposed.map(canonicalPort))
      if ((all.get(key) ?? []).length === 0) all.set(key, [{ HostIp: "", HostPort: "" }]);
  }
  const wishes = [...all].flatMap(([text, list]) => {
    const port = parsePort(text);
    return list.map(({ HostIp, HostPort }): PortWish => {
      // A protocol behind the host's port says nothing.
      const range = parseRange(HostPort.split("/", 1)[0] ?? "");
      return {
        ...port,
        // What is no address stands for all of them, as with Docker.
        hostIps: parseAddress(HostIp) === undefined ? [...wildcards] : [canonicalAddress(HostIp)],
        ...(range ? { range } : {}),
      };
    });
  });
  const freedom = ({ range }: PortWish) => (range ? range.end - range.begin : 65_536);
  return wishes.sort((a, b) => freedom(a) - freedom(b) || a.containerPort - b.containerPort);
}
