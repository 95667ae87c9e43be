import { portKey, type ProxyAnswer, type ProxyRequest, type PublishedPort, sameTarget } from "@longshore/proxy-api";
import { forwardTcp, forwardUdp } from "@longshore/sys";
import { DnsServer } from "./dns/server.ts";
import { Zones } from "./dns/zone.ts";

/** A flow without a datagram for this long is forgotten, as docker-proxy does, in milliseconds. */
const idleMs = 90_000;

/** What the proxy process does for its engine: published ports, and DNS for containers. */
export class Services {
  readonly #ports = new Map<string, { port: PublishedPort; end: () => void }>();
  readonly #zones = new Zones();
  readonly #dns = new Map<string, { server: DnsServer; netnsPath: string }>();

  get idle(): boolean {
    return this.#ports.size === 0 && this.#dns.size === 0;
  }

  /** @throws what the socket calls give, with their errno names as `code` */
  async handle(request: ProxyRequest): Promise<ProxyAnswer> {
    switch (request.op) {
      case "list":
        return { ports: [...this.#ports.values()].map(({ port }) => port) };
      case "publish":
        this.#publish(request.port);
        return {};
      case "unpublish":
        this.#unpublish(request.port);
        return {};
      case "dns-networks":
        for (const network of request.networks) this.#zones.put(network);
        return {};
      case "dns-serve":
        return this.#serveDns(request.sandbox);
      case "dns-stop":
        await this.#stopDns(request.containerId);
        return {};
      default:
        // A newer engine than this proxy, which lives as long as the ports that it holds.
        throw Object.assign(
          new Error(`the userland proxy does not know ${JSON.stringify((request as { op: unknown }).op)}`),
          { code: "ENOSYS" },
        );
    }
  }

  /** A request that comes twice breaks no connection. */
  #publish(port: PublishedPort): void {
    const key = portKey(port);
    const known = this.#ports.get(key)?.port;
    if (known !== undefined && sameTarget(known, port)) return;
    this.#unpublish(port);
    this.#ports.set(key, { port, end: open(port) });
  }

  #unpublish(port: PublishedPort): void {
    const key = portKey(port);
    this.#ports.get(key)?.end();
    this.#ports.delete(key);
  }

  async #serveDns(sandbox: Extract<ProxyRequest, { op: "dns-serve" }>["sandbox"]): Promise<ProxyAnswer> {
    const known = this.#dns.get(sandbox.containerId);
    if (known && known.netnsPath === sandbox.netnsPath) return { dns: known.server.ports, fresh: false };
    await this.#stopDns(sandbox.containerId);
    const server = await DnsServer.open(this.#zones, sandbox);
    this.#dns.set(sandbox.containerId, { server, netnsPath: sandbox.netnsPath });
    return { dns: server.ports, fresh: true };
  }

  async #stopDns(containerId: string): Promise<void> {
    const known = this.#dns.get(containerId);
    this.#dns.delete(containerId);
    await known?.server.close();
  }
}

function open({ proto, hostIp, hostPort, containerIp, containerPort }: PublishedPort): () => void {
  const [from, to] = [
    { address: hostIp, port: hostPort },
    { address: containerIp, port: containerPort },
  ];
  if (proto === "tcp") return forwardTcp(from, to);
  if (proto === "udp") return forwardUdp(from, to, idleMs);
  throw Object.assign(new Error(`the userland proxy does not speak ${proto}`), { code: "EPROTONOSUPPORT" });
}
