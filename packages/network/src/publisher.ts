import type { PortMap } from "@longshore/api";
import { messageOf, Unknown } from "@longshore/errdefs";
import type { Logger } from "@longshore/log";
import ipaddr from "ipaddr.js";
import { hostHasIPv6 } from "./bridge.ts";
import { parseBridgeOptions } from "./bridge-options.ts";
import type { Firewall } from "./firewall/firewall.ts";
import type { PortRule } from "./firewall/table.ts";
import type { Family } from "./ipam/prefix.ts";
import { kernelSpeaksSctp } from "./ports/sctp.ts";
import { Netfilter } from "./netlink/netfilter.ts";
import type { PortAllocator } from "./ports/allocator.ts";
import { type PortWish, portWishes } from "./ports/bindings.ts";
import { type ProxyClient, ProxyRefused } from "./proxy/client.ts";
import type { ProxyPort } from "./proxy/protocol.ts";
import type { EndpointRecord, NetworkRecord, PublishedPort, Records, SandboxRecord } from "./records.ts";

/** The words of the errors that bind(2) gives. */
const bindErrors: Record<string, string> = {
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "cannot assign requested address",
  EACCES: "permission denied",
  EINVAL: "invalid argument",
};

/** A wish for any port tries so many before it gives up. */
const attempts = 10;

function familyOf(ip: string): Family {
  return ip.includes(":") ? 6 : 4;
}

/** What the proxy has to hold: everything but SCTP, which it does not speak, and ports of routed networks, which have none on the host. */
export function proxyPorts(published: readonly PublishedPort[]): ProxyPort[] {
  return published.flatMap((port) => (port.hostPort === 0 || port.proto === "sctp" ? [] : [{ ...port, proto: port.proto }]));
}

/** What the packet filter has to know: same family on both sides. */
export function portRules(published: readonly PublishedPort[], family: Family): PortRule[] {
  return published
    .filter(({ hostIp, containerIp }) => familyOf(hostIp) === family && familyOf(containerIp) === family)
    .map(({ hostIp, ...rest }) => ({ ...rest, hostIp: hostIp === "0.0.0.0" || hostIp === "::" ? undefined : hostIp }));
}

/** Publishes the ports of containers: allocation, proxy and address translation together. */
export class Publisher {
  readonly #records: Records;
  readonly #ports: PortAllocator;
  readonly #proxy: ProxyClient;
  readonly #firewall: Firewall;
  readonly #userlandProxy: boolean;
  readonly #log: Logger;

  constructor(records: Records, ports: PortAllocator, proxy: ProxyClient, firewall: Firewall, userlandProxy: boolean, log: Logger) {
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

  #wildcards(network: NetworkRecord, endpoint: EndpointRecord): string[] {
    const { hostBinding } = parseBridgeOptions(network);
    if (hostBinding !== "" && hostBinding !== "0.0.0.0") return [hostBinding];
    // Without a proxy nothing leads from IPv6 to a container that has none.
    const v6 = hostHasIPv6() && (this.#userlandProxy || endpoint.ipv6 !== "");
    return [...(endpoint.ipv4 === "" && !this.#userlandProxy ? [] : ["0.0.0.0"]), ...(v6 ? ["::"] : [])];
  }

  #target(endpoint: EndpointRecord, hostIp: string): string {
    return familyOf(hostIp) === 6 ? endpoint.ipv6 || endpoint.ipv4 : endpoint.ipv4 || endpoint.ipv6;
  }

  /** What the real engine says where the kernel does not speak SCTP. */
  #refuseSctp(wish: PortWish, hostPort: number, endpoint: EndpointRecord): void {
    if (wish.proto !== "sctp" || kernelSpeaksSctp()) return;
    for (const hostIp of wish.hostIps) this.#ports.release(hostIp, wish.proto, hostPort);
    const [hostIp = ""] = wish.hostIps;
    const at = hostIp.includes(":") ? `[${hostIp}]:${hostPort}` : `${hostIp}:${hostPort}`;
    if (this.#userlandProxy) throw new Unknown(`error starting userland proxy: failed to listen on ${at}: protocol not supported`);
    throw new Unknown(`failed to create socket for userland proxy for ${at}:${this.#target(endpoint, hostIp)}:${wish.containerPort}/sctp: protocol not supported`);
  }

  /** Takes a port on all addresses of the wish, or none. */
  async #bind(wish: PortWish, hostPort: number, endpoint: EndpointRecord): Promise<PublishedPort[]> {
    const done: PublishedPort[] = [];
    this.#refuseSctp(wish, hostPort, endpoint);
    try {
      for (const hostIp of wish.hostIps) {
        const port: PublishedPort = { proto: wish.proto, hostIp, hostPort, containerIp: this.#target(endpoint, hostIp), containerPort: wish.containerPort };
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
      const target = `${this.#target(endpoint, hostIp)}:${wish.containerPort}/${wish.proto}`;
      const { begin, end } = wish.range ?? {};
      // Docker names what was asked for, and of several ports the one that it tried.
      const asked = begin === undefined ? "" : begin === end ? String(begin) : `${begin}-${end}`;
      const which = asked.includes("-") ? ` ${hostPort}` : "";
      throw new BindRefused(`failed to bind host port${which} for ${shownIp}:${asked}:${target}: ${bindErrors[error.code] ?? messageOf(error)}`, error.code);
    }
  }

  async #fulfil(wish: PortWish, endpoint: EndpointRecord): Promise<PublishedPort[]> {
    const avoid = new Set<number>();
    for (;;) {
      const hostPort = this.#ports.request(wish.hostIps, wish.proto, wish.range, avoid);
      try {
        return await this.#bind(wish, hostPort, endpoint);
      } catch (error) {
        // Another program of the host has it: any other port will do unless just this one was asked for.
        const fixed = wish.range !== undefined && wish.range.begin === wish.range.end;
        if (fixed || !(error instanceof BindRefused) || error.code !== "EADDRINUSE" || avoid.size >= attempts) throw error;
        avoid.add(hostPort);
      }
    }
  }

  async #unbind(published: readonly PublishedPort[]): Promise<void> {
    if (this.#userlandProxy) await Promise.all(proxyPorts(published).map((port) => this.#proxy.unpublish(port)));
    for (const { hostIp, proto, hostPort } of published) if (hostPort !== 0) this.#ports.release(hostIp, proto, hostPort);
  }

  /**
   * Publishes what the container asks for, through its gateway endpoint, and records it.
   * @throws Unknown `driver failed programming external connectivity on endpoint NAME (ID): …`; nothing is published then
   */
  publish(sandbox: SandboxRecord, network: NetworkRecord, endpoint: EndpointRecord): Promise<void> {
    return this.change({ ...sandbox, published: [], ports: {} }, sandbox, network, endpoint);
  }

  /**
   * Brings what is published from one request of a container to another, by one transaction of the firewall.
   * @throws Unknown as `publish`; all is as `before` then
   */
  async change(before: SandboxRecord, wanted: SandboxRecord, network: NetworkRecord, endpoint: EndpointRecord): Promise<void> {
    const { bindings, exposed, publishAll } = wanted.portRequest;
    const fresh: PublishedPort[] = [];
    let removed: PublishedPort[] = [];
    try {
      const wishes = portWishes(bindings, exposed, publishAll, this.#wildcards(network, endpoint));
      const { kept, left } = keepPorts(wishes, before.published);
      removed = left;
      // Their places may be wanted for others.
      await this.#unbind(removed);
      for (const wish of wishes) {
        if (kept.has(wish)) continue;
        const ports = [...this.#routed(network, wish, endpoint), ...(await this.#bound(network, wish, endpoint))];
        // IPv4 comes first, as inspect shows them.
        ports.sort((a, b) => familyOf(a.hostIp) - familyOf(b.hostIp));
        fresh.push(...ports);
        kept.set(wish, ports);
      }
      const published = wishes.flatMap((wish) => kept.get(wish) ?? []);
      this.#records.putSandbox({ ...wanted, published, ports: portMap(wishes, kept, exposed) });
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
    for (const { hostIp, proto, hostPort } of published) if (hostPort !== 0) this.#ports.hold([hostIp], proto, hostPort);
    if (!this.#userlandProxy) return;
    for (const port of proxyPorts(published)) {
      await this.#proxy.publish(port).catch((error: unknown) => this.#log.error({ err: error, port }, "a published port cannot be bound again"));
    }
  }

  /** Routed networks need no port of the host, only an open one of the container. */
  #routed(network: NetworkRecord, wish: PortWish, endpoint: EndpointRecord): PublishedPort[] {
    const { gatewayMode } = parseBridgeOptions(network);
    return wish.hostIps
      .filter((ip) => gatewayMode[familyOf(ip)] === "routed")
      // It is the container's own address that is reached, so an address of the host means nothing.
      .map((ip) => (familyOf(ip) === 6 ? "::" : "0.0.0.0"))
      .map((hostIp) => ({ proto: wish.proto, hostIp, hostPort: 0, containerIp: this.#target(endpoint, hostIp), containerPort: wish.containerPort }))
      .filter(({ hostIp, containerIp }) => familyOf(hostIp) === familyOf(containerIp));
  }

  /** The other family of such a network has ports of the host as usual. */
  async #bound(network: NetworkRecord, wish: PortWish, endpoint: EndpointRecord): Promise<PublishedPort[]> {
    const { gatewayMode } = parseBridgeOptions(network);
    const hostIps = wish.hostIps.filter((ip) => gatewayMode[familyOf(ip)] !== "routed");
    return hostIps.length === 0 ? [] : this.#fulfil({ ...wish, hostIps }, endpoint);
  }

  /** Puts the rules of ports in the place of others', in one transaction. */
  async #apply(before: readonly PublishedPort[], after: readonly PublishedPort[]): Promise<void> {
    await this.#firewall.replace({ 4: portRules(before, 4), 6: portRules(before, 6) }, { 4: portRules(after, 4), 6: portRules(after, 6) });
    await this.#forgetFlows([...before, ...after]);
  }

  /** A UDP flow keeps going where it went first as long as datagrams come: not what the rules say now. */
  async #forgetFlows(published: readonly PublishedPort[]): Promise<void> {
    const flows = ([4, 6] as const).flatMap((family) =>
      portRules(published, family)
        .filter(({ proto, hostPort }) => proto === "udp" && hostPort !== 0)
        .map(({ hostIp, hostPort }) => ({ family, address: hostIp === undefined ? undefined : Buffer.from(ipaddr.parse(hostIp).toByteArray()), port: hostPort })),
    );
    if (flows.length === 0) return;
    using netfilter = new Netfilter();
    await netfilter.forgetUdp(flows).catch((error: unknown) => this.#log.warn({ err: error }, "UDP flows of a published port may go on to where they went before"));
  }

  /** Gives back all ports of a container. */
  async unpublish(sandbox: SandboxRecord): Promise<void> {
    const { published } = sandbox;
    if (published.length === 0) return;
    this.#records.putSandbox({ ...sandbox, published: [], ports: {} });
    await this.#apply(published, []);
    await this.#unbind(published);
  }
}

class BindRefused extends Unknown {
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

/** Which wishes are fulfilled by what is published already, and what nobody wishes for any more. */
function keepPorts(wishes: readonly PortWish[], published: readonly PublishedPort[]): { kept: Map<PortWish, PublishedPort[]>; left: PublishedPort[] } {
  const left = new Set(published);
  const kept = new Map<PortWish, PublishedPort[]>();
  for (const wish of wishes) {
    const fits = [...left].filter(
      ({ proto, containerPort, hostPort }) =>
        hostPort !== 0 && proto === wish.proto && containerPort === wish.containerPort && (!wish.range || (hostPort >= wish.range.begin && hostPort <= wish.range.end)),
    );
    for (const { hostPort } of fits) {
      const same = wish.hostIps.flatMap((ip) => fits.find((port) => port.hostPort === hostPort && port.hostIp === ip) ?? []);
      if (same.length === 0 || same.length < wish.hostIps.length) continue;
      for (const port of same) left.delete(port);
      kept.set(wish, same);
      break;
    }
  }
  return { kept, left: [...left] };
}

/** As `NetworkSettings.Ports` shows ports: published ones with their bindings, exposed ones null. */
function portMap(wishes: readonly PortWish[], published: ReadonlyMap<PortWish, readonly PublishedPort[]>, exposed: readonly string[]): PortMap {
  const keys = [...new Set([...exposed, ...wishes.map(({ key }) => key)])].sort();
  const shown = (key: string) =>
    wishes
      .filter((wish) => wish.key === key)
      .flatMap((wish) => published.get(wish) ?? [])
      .map(({ hostIp, hostPort }) => ({ HostIp: hostIp, HostPort: hostPort === 0 ? "" : String(hostPort) }));
  return Object.fromEntries(keys.map((key) => [key, wishes.some((wish) => wish.key === key) ? shown(key) : null]));
}
