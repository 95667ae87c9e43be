import { readFileSync } from "node:fs";
import { Unknown } from "@longshore/errdefs";

type Proto = "tcp" | "udp" | "sctp";

/** A run of ports, both ends included. */
export interface PortRange {
  begin: number;
  end: number;
}

/** The kernel's own ephemeral range, which ports without a wish come from. */
export function ephemeralRange(path = "/proc/sys/net/ipv4/ip_local_port_range"): PortRange {
  const [begin = 49_153, end = 65_535] = readFileSync(path, "utf8").trim().split(/\s+/).map(Number);
  return { begin, end };
}

const wildcard = (ip: string) => ip === "0.0.0.0" || ip === "::";

/** Which ports of which host addresses lead to containers. */
export class PortAllocator {
  /** `proto/port` → addresses that hold it. */
  readonly #held = new Map<string, Set<string>>();
  readonly #dynamic: PortRange;
  readonly #last: Record<Proto, number>;

  constructor(dynamic: PortRange) {
    this.#dynamic = dynamic;
    this.#last = { tcp: dynamic.end, udp: dynamic.end, sctp: dynamic.end };
  }

  /** The address that stands in the way of `ip`, if any: the same one, or either is the wildcard of its family. */
  #conflict(proto: Proto, port: number, ip: string): string | undefined {
    const v6 = ip.includes(":");
    return [...(this.#held.get(`${proto}/${port}`) ?? [])].find(
      (other) => other.includes(":") === v6 && (other === ip || wildcard(other) || wildcard(ip)),
    );
  }

  /**
   * Takes one port on all of `ips`: `range.begin` when the range is one port, any free one of it
   * otherwise, any of the ephemeral range without one. Ports in `avoid` are passed over.
   * @throws PortTaken `Bind for 0.0.0.0:80 failed: port is already allocated`, Unknown when none is left
   */
  request(ips: readonly string[], proto: Proto, range?: PortRange, avoid: ReadonlySet<number> = new Set()): number {
    const { begin, end } = range ?? this.#dynamic;
    if (range && begin === end) {
      for (const ip of ips) {
        const other = this.#conflict(proto, begin, ip);
        if (other !== undefined) throw new PortTaken(other, begin);
      }
      return this.hold(ips, proto, begin);
    }
    const size = end - begin + 1;
    // Ephemeral ports go round, so that one just given back is not taken at once by another container.
    const start = range ? begin : this.#last[proto] + 1;
    for (let i = 0; i < size; i++) {
      const port = begin + ((start - begin + i) % size);
      if (avoid.has(port) || ips.some((ip) => this.#conflict(proto, port, ip) !== undefined)) continue;
      if (!range) this.#last[proto] = port;
      return this.hold(ips, proto, port);
    }
    if (range) throw new PortTaken(ips[0] ?? "0.0.0.0", begin);
    throw new Unknown("all ports are allocated");
  }

  /** Notes a port as taken without asking, as when records are read back. */
  hold(ips: readonly string[], proto: Proto, port: number): number {
    const key = `${proto}/${port}`;
    const held = this.#held.get(key) ?? new Set();
    for (const ip of ips) held.add(ip);
    this.#held.set(key, held);
    return port;
  }

  release(ip: string, proto: Proto, port: number): void {
    const key = `${proto}/${port}`;
    const held = this.#held.get(key);
    held?.delete(ip);
    if (held?.size === 0) this.#held.delete(key);
  }
}

/** A port that another container of this engine has. */
class PortTaken extends Unknown {
  constructor(ip: string, port: number) {
    super(`Bind for ${ip}:${port} failed: port is already allocated`);
  }
}
