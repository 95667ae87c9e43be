import { dnsNames } from "../endpoint/dns-names.ts";
import { isUserDefined } from "../endpoint/endpoint-settings.ts";
import type { Ask, ProxyClient } from "../proxy/client.ts";
import type { NetworkRecord, Records, SandboxRecord } from "../records/records.ts";
import { rewriteResolvConf } from "../sandbox/sandbox-files.ts";
import { redirectDns } from "./redirect.ts";
import type { DnsNetwork } from "@longshore/proxy-api";

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
  /** Docker's own networks of which the server knows members: most containers there are nothing to it. */
  readonly #ownTold = new Set<string>();

  constructor(records: Records, proxy: ProxyClient) {
    this.#records = records;
    this.#proxy = proxy;
  }

  #describe(networkId: string): DnsNetwork | undefined {
    const network = this.#records.networks.get(networkId);
    if (!network) return undefined;
    const members = this.#records.endpointsIn(networkId).flatMap(({ containerId, settings, ipv4, ipv6, service }) => {
      if (service) return [];
      const sandbox = this.#records.sandboxes.get(containerId);
      if (!sandbox) return [];
      const addresses = [ipv4, ipv6].filter((address) => address !== "");
      const member = {
        containerId,
        addresses,
        links: linkAliases(settings.Links ?? []),
        priority: settings.GwPriority ?? 0,
      };
      if (isUserDefined(network)) return [{ ...member, names: dnsNames(sandbox, settings.Aliases ?? []) }];
      // In Docker's own networks nobody has a name, but it counts that they lead outside.
      return sandbox.dns ? [{ ...member, names: [] }] : [];
    });
    return { id: network.id, name: network.name, internal: network.internal || network.driver === "null", members };
  }

  #inUse(): boolean {
    return this.#proxy.maybeRunning() || [...this.#records.sandboxes.values()].some(({ dns }) => dns !== null);
  }

  /** Tells the server who is in these networks now. */
  async update(networkIds: readonly string[], ask: Ask = (body) => this.#proxy.request(body)): Promise<void> {
    const known = networkIds.flatMap((id) => this.#describe(id) ?? []);
    const networks = known.filter(
      (network) => isUserDefined(network) || network.members.length > 0 || this.#ownTold.delete(network.id),
    );
    for (const network of networks)
      if (!isUserDefined(network) && network.members.length > 0) this.#ownTold.add(network.id);
    if (networks.length === 0 || !this.#inUse()) return;
    await ask({ op: "dns-networks", networks });
  }

  /** A running container has joined a network: its first user-defined one brings it the embedded DNS. */
  async joined(containerId: string, network: NetworkRecord): Promise<void> {
    const sandbox = this.#records.sandboxes.get(containerId);
    if (!sandbox || sandbox.dns || sandbox.mode === "host" || !isUserDefined(network)) return this.update([network.id]);
    const served = { ...sandbox, ...rewriteResolvConf(sandbox) };
    this.#records.putSandbox(served);
    await this.serve(served, true);
  }

  /**
   * Serves a container; its loopback device must be up. A server that did not know the networks would answer in the
   * name of the world outside, so one that comes in between is told of them before it opens.
   * @param replace whether it may have been served before
   */
  async serve(sandbox: SandboxRecord, replace = false): Promise<void> {
    if (!sandbox.dns) return;
    const networkIds = this.#records.endpointsOf(sandbox.containerId).map(({ networkId }) => networkId);
    await this.#proxy.together(async (ask) => {
      await this.update(networkIds, ask);
      await this.#open(sandbox, replace, ask);
    });
  }

  async #open({ containerId, netnsPath, dns }: SandboxRecord, replace: boolean, ask: Ask): Promise<void> {
    if (!dns) return;
    const answer = await ask({ op: "dns-serve", sandbox: { containerId, netnsPath, ...dns } });
    if (answer.dns && answer.fresh === true) await redirectDns(netnsPath, answer.dns, replace);
  }

  async stop(containerId: string): Promise<void> {
    if (this.#proxy.maybeRunning()) await this.#proxy.request({ op: "dns-stop", containerId });
  }

  /**
   * After a start of the engine or of the proxy: serves all containers that should be.
   * @throws the first error, after all were tried: a container that is just ending keeps nobody else from its names
   */
  async restore(): Promise<void> {
    const sandboxes = [...this.#records.sandboxes.values()].filter(({ dns }) => dns !== null);
    const networkIds = new Set(
      sandboxes.flatMap(({ containerId }) => this.#records.endpointsOf(containerId)).map(({ networkId }) => networkId),
    );
    if (sandboxes.length === 0) return;
    await this.#proxy.together(async (ask) => {
      await this.update([...networkIds], ask);
      const results = await Promise.allSettled(sandboxes.map((sandbox) => this.#open(sandbox, true, ask)));
      const failed = results.find((result) => result.status === "rejected");
      if (failed) throw failed.reason;
    });
  }
}
