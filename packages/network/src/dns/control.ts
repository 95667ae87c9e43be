import { dnsNames } from "../endpoint.ts";
import { isUserDefined } from "../endpoint-settings.ts";
import type { ProxyClient } from "../proxy/client.ts";
import type { Records, SandboxRecord } from "../records.ts";
import { redirectDns } from "./redirect.ts";
import type { DnsNetwork } from "./zone.ts";

/** `name:alias` forms by alias; without an alias the name is one. */
function linkAliases(links: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    links.map((link) => {
      const [name = "", alias = name] = link.split(":", 2);
      return [alias, name.replace(/^\//, "")];
    }),
  );
}

/** The engine's side of the embedded DNS, which runs in the proxy process and so outlives the engine. */
export class DnsControl {
  readonly #records: Records;
  readonly #proxy: ProxyClient;

  constructor(records: Records, proxy: ProxyClient) {
    this.#records = records;
    this.#proxy = proxy;
  }

  #describe(networkId: string): DnsNetwork | undefined {
    const network = this.#records.networks.get(networkId);
    if (!network || !isUserDefined(network)) return undefined;
    const members = this.#records.endpointsIn(networkId).flatMap(({ containerId, settings, ipv4, ipv6, service }) => {
      if (service) return [];
      const sandbox = this.#records.sandboxes.get(containerId);
      const addresses = [ipv4, ipv6].filter((address) => address !== "");
      return sandbox ? [{ containerId, names: dnsNames(sandbox, settings.Aliases ?? []), addresses, links: linkAliases(settings.Links ?? []) }] : [];
    });
    return { id: network.id, name: network.name, internal: network.internal, members };
  }

  #inUse(): boolean {
    return [...this.#records.sandboxes.values()].some(({ dns }) => dns !== null);
  }

  /** Tells the server who is in these networks now. */
  async update(networkIds: readonly string[]): Promise<void> {
    const networks = networkIds.flatMap((id) => this.#describe(id) ?? []);
    if (networks.length === 0 || !this.#inUse()) return;
    await this.#proxy.request({ op: "dns-networks", networks });
  }

  /** Serves a container; its loopback device must be up. @param replace whether it may have been served before */
  async serve(sandbox: SandboxRecord, replace = false): Promise<void> {
    if (!sandbox.dns) return;
    await this.update(this.#records.endpointsOf(sandbox.containerId).map(({ networkId }) => networkId));
    const { containerId, netnsPath, dns } = sandbox;
    const answer = await this.#proxy.request({ op: "dns-serve", sandbox: { containerId, netnsPath, ...dns } });
    if (answer.dns && answer.fresh === true) await redirectDns(netnsPath, answer.dns, replace);
  }

  async stop(containerId: string): Promise<void> {
    if (this.#proxy.maybeRunning()) await this.#proxy.request({ op: "dns-stop", containerId });
  }

  /** After a start of the engine or of the proxy: serves all containers that should be. */
  async restore(): Promise<void> {
    for (const sandbox of this.#records.sandboxes.values()) await this.serve(sandbox, true);
  }
}
