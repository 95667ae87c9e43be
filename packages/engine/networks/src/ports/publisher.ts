import { messageOf, Unknown } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";
import ipaddr from "ipaddr.js";
import { routeEndpoint } from "../endpoint/endpoint.ts";
import { parseBridgeOptions } from "../bridge/bridge-options.ts";
import type { Firewall } from "../firewall/firewall.ts";
import { hostHasIPv6 } from "../endpoint/ipv6-switch.ts";
import { type Family, familyOf } from "@longshore/ip";
import { kernelSpeaksSctp } from "./sctp.ts";
import { Netfilter } from "@longshore/netlink";
import type { PortAllocator } from "./allocator.ts";
import { type PortWish, portWishes } from "./bindings.ts";
import { type ProxyClient, ProxyRefused } from "../proxy/client.ts";
import { isWildcard, type PublishedPort } from "@longshore/proxy-api";
import type { EndpointRecord, NetworkRecord, Records, SandboxRecord } from "../records/records.ts";

/** The words of the errors that bind(2) gives. */
const bindErrors: Record<string, string> = {
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "cannot assign requested address",
  EACCES: "permission denied",
  EINVAL: "invalid argument",
};

/** A wish for any port tries so many before it gives up. */
const attempts = 10;

/** What the proxy has to hold: everything but SCTP, which it does not speak, and ports of routed networks, which have none on the host. */
export function proxyPorts(published: readonly PublishedPort[]): PublishedPort[] {
  return published.filter(({ hostPort, proto }) => hostPort !== 0 && proto !== "sctp");
}

/** What the packet filter has to know: same family on both sides. */
export function portRules(published: readonly PublishedPort[], family: Family): PublishedPort[] {
  return published.filter(({ hostIp, containerIp }) => familyOf(hostIp) === family && familyOf(containerIp) === family);
}

/** Publishes the ports of containers: allocation, proxy and address translation together. */
export class Publisher {
  readonly #records: Records;
  readonly #ports: PortAllocator;
  readonly #proxy: ProxyClient;
  readonly #firewall: Firewall;
  readonly #userlandProxy: boolean;
  readonly #log: Logger;

  constructor(
    records: Records,
    ports: PortAllocator,
    proxy: ProxyClient,
    firewall: Firewall,
    userlandProxy: boolean,
    log: Logger,
  ) {
    this.#records = records;
    this.#ports = ports;
    this.#proxy = proxy;
    this.#firewall = firewall;
    this.#userlandProxy = userlandProxy;
    this.#log = log;
    for (const { published } of records.sandboxes.values()) {
      for (const { hostIp, proto, hostPort } of published) if (hostPort !== 0) ports.hold([hostIp], proto, hostPort);
    }
  }

  /** By which bridge ports of the host lead to a container. With a proxy, those of IPv6 lead to one that has IPv4 only, too. */
  #ways(containerId: string): Ways {
    const way = (family: Family): Way | undefined => {
      const found = routeEndpoint(this.#records, containerId, family);
      return found && found.network.bridge !== "" ? found : undefined;
    };
    const four = way(4);
    return { 4: four, 6: way(6) ?? (this.#userlandProxy ? four : undefined) };
  }

  #wildcards(ways: Ways): string[] {
    const hostBinding = ways[4] ? parseBridgeOptions(ways[4].network).hostBinding : "";
    if (hostBinding !== "" && hostBinding !== "0.0.0.0") return [hostBinding];
    return hostHasIPv6() ? ["0.0.0.0", "::"] : ["0.0.0.0"];
  }

  /** What the real engine says where the kernel does not speak SCTP. */
  #refuseSctp(wish: PortWish, hostPort: number, ways: Ways): void {
    if (wish.proto !== "sctp" || kernelSpeaksSctp()) return;
    for (const hostIp of wish.hostIps) this.#ports.release(hostIp, wish.proto, hostPort);
    const [hostIp = ""] = wish.hostIps;
    const at = hostIp.includes(":") ? `[${hostIp}]:${hostPort}` : `${hostIp}:${hostPort}`;
    if (this.#userlandProxy)
      throw new Unknown(`error starting userland proxy: failed to listen on ${at}: protocol not supported`);
    throw new Unknown(
      `failed to create socket for userland proxy for ${at}:${target(ways, hostIp)}:${wish.containerPort}/sctp: protocol not supported`,
    );
  }

  /** Takes a port on all addresses of the wish, or none. */
  async #bind(wish: PortWish, hostPort: number, ways: Ways): Promise<PublishedPort[]> {
    const done: PublishedPort[] = [];
    this.#refuseSctp(wish, hostPort, ways);
    try {
      for (const hostIp of wish.hostIps) {
        const port: PublishedPort = {
          proto: wish.proto,
          hostIp,
          hostPort,
          containerIp: target(ways, hostIp),
          containerPort: wish.containerPort,
        };
        if (this.#userlandProxy) for (const proxied of proxyPorts([port])) await this.#proxy.publish(proxied);
        done.push(port);
      }
      return done;
    } catch (error) {
      for (const port of proxyPorts(done)) await this.#proxy.unpublish(port);
      for (const hostIp of wish.hostIps) this.#ports.release(hostIp, wish.proto, hostPort);
      if (!(error instanceof ProxyRefused)) throw error;
      const hostIp = wish.hostIps[done.length] ?? "";
      const shownIp = hostIp.includes(":") ? `[${hostIp}]` : hostIp;
      const to = `${target(ways, hostIp)}:${wish.containerPort}/${wish.proto}`;
      const { begin, end } = wish.range ?? {};
      // Docker names what was asked for, and of several ports the one that it tried.
      const asked = begin === undefined ? "" : begin === end ? String(begin) : `${begin}-${end}`;
      const which = asked.includes("-") ? ` ${hostPort}` : "";
      throw new BindRefused(
        `failed to bind host port${which} for ${shownIp}:${asked}:${to}: ${bindErrors[error.code] ?? messageOf(error)}`,
        error.code,
      );
    }
  }

  async #fulfil(wish: PortWish, ways: Ways): Promise<PublishedPort[]> {
    const avoid = new Set<number>();
    for (;;) {
      const hostPort = this.#ports.request(wish.hostIps, wish.proto, wish.range, avoid);
      try {
        return await this.#bind(wish, hostPort, ways);
      } catch (error) {
        // Another program of the host has it: any other port will do unless just this one was asked for.
        const fixed = wish.range !== undefined && wish.range.begin === wish.range.end;
        if (fixed || !(error instanceof BindRefused) || error.code !== "EADDRINUSE" || avoid.size >= attempts)
          throw error;
        avoid.add(hostPort);
      }
    }
  }

  async #unbind(published: readonly PublishedPort[]): Promise<void> {
    if (this.#userlandProxy) await Promise.all(proxyPorts(published).map((port) => this.#proxy.unpublish(port)));
    for (const { hostIp, proto, hostPort } of published)
      if (hostPort !== 0) this.#ports.release(hostIp, proto, hostPort);
  }

  /**
   * Publishes what the container asks for, where its default routes lead, and records it.
   * @param endpoint that errors name
   * @throws Unknown `driver failed programming external connectivity on endpoint NAME (ID): …`; nothing is published then
   */
  publish(sandbox: SandboxRecord, endpoint: EndpointRecord): Promise<void> {
    return this.change({ ...sandbox, published: [] }, sandbox, endpoint);
  }

  /**
   * Brings what is published from one request of a container to another, by one transaction of the firewall.
   * @throws Unknown as `publish`; all is as `before` then
   */
  async change(before: SandboxRecord, wanted: SandboxRecord, endpoint: EndpointRecord): Promise<void> {
    const { bindings, exposed, publishAll } = wanted.portRequest;
    const fresh: PublishedPort[] = [];
    let removed: PublishedPort[] = [];
    try {
      const ways = this.#ways(wanted.containerId);
      const wishes = portWishes(bindings, exposed, publishAll, this.#wildcards(ways));
      for (const wish of wishes) wish.hostIps = wish.hostIps.filter((ip) => ways[familyOf(ip)] !== undefined);
      const { kept, left } = keepPorts(wishes, before.published);
      removed = left;
      // Their places may be wanted for others.
      await this.#unbind(removed);
      for (const wish of wishes) {
        if (kept.has(wish)) continue;
        const ports = [...routedPorts(wish, ways), ...(await this.#bound(wish, ways))];
        // IPv4 comes first, as inspect shows them.
        ports.sort((a, b) => familyOf(a.hostIp) - familyOf(b.hostIp));
        fresh.push(...ports);
        kept.set(wish, ports);
      }
      const published = wishes.flatMap((wish) => kept.get(wish) ?? []);
      this.#records.putSandbox({ ...wanted, published });
      await this.#apply(before.published, published);
    } catch (error) {
      await this.#unbind(fresh);
      this.#records.putSandbox(before);
      await this.#bindAgain(removed);
      if (before.published.length > 0) await this.#firewall.rebuild();
      const prefix = `driver failed programming external connectivity on endpoint ${wanted.containerName} (${endpoint.id})`;
      throw new Unknown(`${prefix}: ${messageOf(error)}`, { cause: error });
    }
  }

  async #bindAgain(published: readonly PublishedPort[]): Promise<void> {
    for (const { hostIp, proto, hostPort } of published)
      if (hostPort !== 0) this.#ports.hold([hostIp], proto, hostPort);
    if (!this.#userlandProxy) return;
    for (const port of proxyPorts(published)) {
      await this.#proxy
        .publish(port)
        .catch((error: unknown) => this.#log.error({ err: error, port }, "a published port cannot be bound again"));
    }
  }

  /** What routed networks do not let in at the container's own address has ports of the host. */
  async #bound(wish: PortWish, ways: Ways): Promise<PublishedPort[]> {
    const hostIps = wish.hostIps.filter((ip) => modeOf(ways, ip) !== "routed");
    return hostIps.length === 0 ? [] : this.#fulfil({ ...wish, hostIps }, ways);
  }

  /** Puts the rules of ports in the place of others', in one transaction. */
  async #apply(before: readonly PublishedPort[], after: readonly PublishedPort[]): Promise<void> {
    await this.#firewall.replace(
      { 4: portRules(before, 4), 6: portRules(before, 6) },
      { 4: portRules(after, 4), 6: portRules(after, 6) },
    );
    await this.#forgetFlows([...before, ...after]);
  }

  /** A UDP flow keeps going where it went first as long as datagrams come: not what the rules say now. */
  async #forgetFlows(published: readonly PublishedPort[]): Promise<void> {
    const flows = ([4, 6] as const).flatMap((family) =>
      portRules(published, family)
        .filter(({ proto, hostPort }) => proto === "udp" && hostPort !== 0)
        .map((port) => ({
          family,
          address: isWildcard(port) ? undefined : Buffer.from(ipaddr.parse(port.hostIp).toByteArray()),
          port: port.hostPort,
        })),
    );
    if (flows.length === 0) return;
    using netfilter = new Netfilter();
    await netfilter
      .forgetUdp(flows)
      .catch((error: unknown) =>
        this.#log.warn({ err: error }, "UDP flows of a published port may go on to where they went before"),
      );
  }

  /** Gives back all ports of a container. */
  async unpublish(sandbox: SandboxRecord): Promise<void> {
    const { published } = sandbox;
    if (published.length === 0) return;
    this.#records.putSandbox({ ...sandbox, published: [] });
    await this.#apply(published, []);
    await this.#unbind(published);
  }
}

interface Way {
  network: NetworkRecord;
  endpoint: EndpointRecord;
}

/** By which endpoint ports of each family of the host lead to a container. */
type Ways = Record<Family, Way | undefined>;

function target(ways: Ways, hostIp: string): string {
  const family = familyOf(hostIp);
  const { ipv4 = "", ipv6 = "" } = ways[family]?.endpoint ?? {};
  return family === 6 ? ipv6 || ipv4 : ipv4;
}

function modeOf(ways: Ways, hostIp: string): string {
  const family = familyOf(hostIp);
  const way = ways[family];
  return way === undefined ? "nat" : parseBridgeOptions(way.network).gatewayMode[family];
}

/** Routed networks need no port of the host, only an open one of the container. */
function routedPorts(wish: PortWish, ways: Ways): PublishedPort[] {
  return (
    wish.hostIps
      .filter((ip) => modeOf(ways, ip) === "routed")
      // It is the container's own address that is reached, so an address of the host means nothing.
      .map((ip) => (familyOf(ip) === 6 ? "::" : "0.0.0.0"))
      .map((hostIp) => ({
        proto: wish.proto,
        hostIp,
        hostPort: 0,
        containerIp: target(ways, hostIp),
        containerPort: wish.containerPort,
      }))
      .filter(({ hostIp, containerIp }) => familyOf(hostIp) === familyOf(containerIp))
  );
}

class BindRefused extends Unknown {
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

/** Which wishes are fulfilled by what is published already, and what nobody wishes for any more. */
function keepPorts(
  wishes: readonly PortWish[],
  published: readonly PublishedPort[],
): { kept: Map<PortWish, PublishedPort[]>; left: PublishedPort[] } {
  const left = new Set(published);
  const kept = new Map<PortWish, PublishedPort[]>();
  for (const wish of wishes) {
    const fits = [...left].filter(
      ({ proto, containerPort, hostPort }) =>
        hostPort !== 0 &&
        proto === wish.proto &&
        containerPort === wish.containerPort &&
        (!wish.range || (hostPort >= wish.range.begin && hostPort <= wish.range.end)),
    );
    for (const { hostPort } of fits) {
      const same = wish.hostIps.flatMap(
        (ip) => fits.find((port) => port.hostPort === hostPort && port.hostIp === ip) ?? [],
      );
      if (same.length === 0 || same.length < wish.hostIps.length) continue;
      for (const port of same) left.delete(port);
      kept.set(wish, same);
      break;
    }
  }
  return { kept, left: [...left] };
}
