import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { EmitEvent, EndpointSettings } from "@longshore/docker-api";
import { NotFound, Unknown, wrap } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";
import { createNetns, removeNetns } from "@longshore/sys";
import { connectLinks } from "../endpoint/attach.ts";
import type { Sandbox, SandboxRequest, Sandboxes } from "../contract.ts";
import type { DnsControl } from "../dns/control.ts";
import { createEndpoint, gatewayEndpoint, linkPlan, needsGatewayEndpoint, showEndpoint } from "../endpoint/endpoint.ts";
import { isUserDefined } from "../endpoint/endpoint-settings.ts";
import { eventActor } from "./event-actor.ts";
import { extraHostLines } from "../files/hosts.ts";
import { checkNameserver } from "../files/resolv-conf.ts";
import type { Firewall } from "../firewall/firewall.ts";
import { hostGateway } from "../bridge/host-gateway.ts";
import { ipv6IsOff, switchNamespace } from "../endpoint/ipv6-switch.ts";
import { isLinked } from "../endpoint/links.ts";
import type { NetworkStore } from "../network/networks.ts";
import { newId } from "../records/new-id.ts";
import { portMap } from "../ports/port-map.ts";
import type { Publisher } from "../ports/publisher.ts";
import type { EndpointRecord, NetworkRecord, Records, SandboxRecord } from "../records/records.ts";
import { addToHosts, removeFromHosts, writeNames, writeResolvConf } from "./sandbox-files.ts";
import type { PluginReleases } from "../remote/plugin-releases.ts";
import type { RemoteEndpoints } from "../remote/remote-endpoints.ts";
import { hasPluginDriver } from "../remote/remote-networks.ts";
import { KeyedMutex, settleAll } from "@longshore/concurrency";
import { VethRemover } from "../endpoint/veth-remover.ts";
import { wantedNetworks } from "./wanted-networks.ts";
import { GatewayEndpoints } from "../bridge/gateway-endpoint.ts";

interface Parts {
  records: Records;
  networks: NetworkStore;
  publisher: Publisher;
  firewall: Firewall;
  userlandProxy: boolean;
  dns: DnsControl;
  remote: RemoteEndpoints;
  releases: PluginReleases;
  emit: EmitEvent;
  log: Logger;
  /** What follows once sandboxes without containers are given back. */
  restored: () => Promise<void>;
  /** Where namespaces are bound. */
  netnsDir: string;
  /** What `host-gateway` stands for, when it is not the default bridge's gateway. */
  hostGatewayIps: string[];
}

const hostNetns = "/proc/1/ns/net";

/** Gives each running container its network. */
export class SandboxStore implements Sandboxes {
  readonly #parts: Parts;
  readonly #links: VethRemover;
  readonly #gatewayEndpoints: GatewayEndpoints;
  /** One change to a container's network after the other. */
  readonly #locks = new KeyedMutex();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#links = new VethRemover(parts.log);
    this.#gatewayEndpoints = new GatewayEndpoints({ ...parts, links: this.#links });
  }

  /** Waits until the links of released sandboxes are gone. */
  settled(): Promise<void> {
    return this.#links.settled();
  }

  get(containerId: string): Sandbox | undefined {
    const { records } = this.#parts;
    const sandbox = records.sandboxes.get(containerId);
    if (!sandbox) return undefined;
    const networks = this.#asked(containerId).map(
      ({ network, endpoint }) => [network.name, showEndpoint(network, endpoint, sandbox)] as const,
    );
    return {
      id: sandbox.id,
      netnsPath: sandbox.netnsPath,
      networks: Object.fromEntries(networks),
      ports: portMap(records, sandbox),
      portBindings: sandbox.portRequest.bindings,
    };
  }

  #joined(containerId: string): { network: NetworkRecord; endpoint: EndpointRecord }[] {
    const { records } = this.#parts;
    return records.endpointsOf(containerId).flatMap((endpoint) => {
      const network = records.networks.get(endpoint.networkId);
      return network ? [{ network, endpoint }] : [];
    });
  }

  /** Without what nobody has asked for. */
  #asked(containerId: string): { network: NetworkRecord; endpoint: EndpointRecord }[] {
    return this.#joined(containerId).filter(({ endpoint }) => !endpoint.service);
  }

  #sandbox(containerId: string): SandboxRecord {
    const sandbox = this.#parts.records.sandboxes.get(containerId);
    if (!sandbox) throw new NotFound(`container ${containerId} has no network sandbox`);
    return sandbox;
  }

  allocate(request: SandboxRequest): Promise<Sandbox> {
    return this.#locks.run(request.containerId, async () => {
      if (request.networkMode.startsWith("container:")) {
        const donor = this.#sandbox(request.networkMode.slice("container:".length));
        return { id: "", netnsPath: donor.netnsPath, networks: {}, ports: {}, portBindings: {} };
      }
      // Said before anything is set up, and so in words of its own.
      extraHostLines(request.extraHosts, hostGateway(this.#parts));
      for (const server of request.dns) checkNameserver(server);
      try {
        await this.#release(request.containerId);
        await this.#allocate(request);
      } catch (error) {
        await this.#release(request.containerId);
        throw wrap("failed to set up container networking", error);
      }
      return this.get(request.containerId)!;
    });
  }

  async #allocate(request: SandboxRequest): Promise<void> {
    const { records, networks, netnsDir, emit } = this.#parts;
    const wanted = wantedNetworks(networks, request);
    const host = wanted[0]?.network.driver === "host";
    const id = newId();
    const sandbox: SandboxRecord = {
      id,
      containerId: request.containerId,
      containerName: request.containerName,
      mode: host ? "host" : "private",
      netnsPath: host ? hostNetns : join(netnsDir, id.slice(0, 12)),
      hostname: request.hostname,
      domainname: request.domainname,
      containerDir: request.containerDir,
      portRequest: {
        bindings: request.portBindings,
        exposed: request.exposedPorts,
        publishAll: request.publishAllPorts,
      },
      published: [],
      dns: null,
      ...(request.links === undefined || request.links.length === 0 ? {} : { links: request.links }),
      ...(!host && ipv6IsOff(request.sysctls ?? {}) ? { noIPv6: true } : {}),
    };
    // All at once: whatever dies from here on, the next start knows what there is to take back.
    records.atomically(() => {
      records.putSandbox(sandbox);
      for (const { network, settings } of wanted) createEndpoint(records, sandbox, network, settings);
    });
    if (!host) this.#openNamespace(sandbox, request.sysctls ?? {});
    const withPlugins = wanted.some(({ network }) => hasPluginDriver(network) || network.pools !== undefined);
    if (withPlugins) await this.#joinPlugins(sandbox);
    const embedded = wanted.some(({ network }) => isUserDefined(network));
    const endpoints = this.#asked(sandbox.containerId).map(({ endpoint }) => endpoint);
    const files = writeResolvConf(
      request,
      host ? "host" : embedded ? "embedded" : "legacy",
      endpoints.some(({ ipv6 }) => ipv6 !== ""),
    );
    writeNames(request, endpoints, hostGateway(this.#parts), sandbox.noIPv6 === true);
    const withDns: SandboxRecord = { ...sandbox, ...files };
    records.putSandbox(withDns);
    await settleAll([host ? Promise.resolve() : this.#connectLinks(withDns), this.#gatewayEndpoints.publish(withDns)]);
    if (isLinked(records, sandbox.containerId)) await this.#parts.firewall.rebuild();
    if (withPlugins)
      for (const { network, endpoint } of this.#asked(sandbox.containerId))
        await this.#parts.remote.look(network, endpoint);
    for (const { network } of wanted) emit("network", "connect", eventActor(network, sandbox.containerId));
  }

  #openNamespace({ netnsPath }: SandboxRecord, sysctls: Readonly<Record<string, string>>): void {
    mkdirSync(this.#parts.netnsDir, { recursive: true, mode: 0o755 });
    createNetns(netnsPath);
    switchNamespace(netnsPath, sysctls);
  }

  /** What plugins have to do before a container's other links are made. */
  async #joinPlugins(sandbox: SandboxRecord): Promise<void> {
    const { records, remote } = this.#parts;
    for (const { network, endpoint } of this.#joined(sandbox.containerId)) {
      await remote.join(sandbox, network, await remote.requestAddresses(network, endpoint), !network.internal);
    }
    if (needsGatewayEndpoint(records, sandbox.containerId)) await this.#gatewayEndpoints.add(sandbox);
  }

  async #connectLinks(sandbox: SandboxRecord): Promise<void> {
    const plans = this.#joined(sandbox.containerId).flatMap(
      ({ network, endpoint }) => linkPlan(network, endpoint, !this.#parts.userlandProxy) ?? [],
    );
    await connectLinks(plans, sandbox.netnsPath, this.#gatewayEndpoints.routes(sandbox.containerId));
    if (sandbox.dns) await this.#parts.dns.serve(sandbox);
  }

  release(containerId: string): Promise<void> {
    return this.#releaseInTurn(containerId, true);
  }

  /** @param patient whether to wait for what plugins have to hear */
  #releaseInTurn(containerId: string, patient: boolean): Promise<void> {
    return this.#locks.run(containerId, async () => {
      const joined = this.#asked(containerId);
      await this.#release(containerId, patient);
      for (const { network } of joined) this.#parts.emit("network", "disconnect", eventActor(network, containerId));
    });
  }

  async #release(containerId: string, patient = true): Promise<void> {
    const { records, publisher, dns, remote } = this.#parts;
    const sandbox = records.sandboxes.get(containerId);
    if (!sandbox) return;
    const endpoints = records.endpointsOf(containerId);
    const linked = isLinked(records, containerId);
    for (const endpoint of endpoints) await remote.leave(endpoint, sandbox.netnsPath, patient);
    await settleAll([
      publisher.unpublish(sandbox),
      (sandbox.dns ? dns.stop(containerId) : Promise.resolve()).finally(() =>
        sandbox.mode === "private" ? removeNetns(sandbox.netnsPath) : undefined,
      ),
    ]);
    // Last, so that a release that fails or dies half-way can be repeated.
    records.atomically(() => {
      for (const { id } of endpoints) records.dropEndpoint(id);
      records.dropSandbox(containerId);
    });
    // Another container may get the address.
    if (linked) await this.#parts.firewall.rebuild();
    this.#links.expectGone(endpoints.map(({ veth }) => veth));
    await dns.update(endpoints.map(({ networkId }) => networkId));
  }

  async restore(running: ReadonlySet<string>): Promise<void> {
    const { records, networks, dns, releases, log } = this.#parts;
    for (const containerId of [...records.sandboxes.keys()]) {
      if (running.has(containerId)) continue;
      await this.#releaseInTurn(containerId, false).catch((error: unknown) =>
        log.error({ err: error, containerId }, "a network sandbox cannot be released"),
      );
    }
    // Ends what no record knows: an engine died between its records and its links.
    await this.#links.removeStrays(
      [...records.networks.values()].map(({ bridge }) => bridge),
      new Set([...records.endpoints.values()].map(({ veth }) => veth)),
    );
    const orphans = [...records.endpoints.values()].filter(({ containerId }) => !records.sandboxes.has(containerId));
    await this.#links.remove(orphans.map(({ veth }) => veth));
    for (const { id } of orphans) records.dropEndpoint(id);
    await this.#parts.restored();
    // A plugin may be a container that this engine has yet to start.
    releases.collect();
    networks.replayPools().catch((error: unknown) => log.error({ err: error }, "IPAM plugins cannot be asked again"));
    await dns.restore().catch((error: unknown) => log.error({ err: error }, "a container cannot be led to its DNS"));
  }

  connect(containerId: string, nameOrId: string, settings: Partial<EndpointSettings>): Promise<Sandbox> {
    return this.#locks.run(containerId, async () => {
      const { records, networks, remote, emit, log } = this.#parts;
      const sandbox = this.#sandbox(containerId);
      const network = networks.record(nameOrId);
      const before = this.#gatewayEndpoints.leads(containerId);
      const planned = createEndpoint(records, sandbox, network, settings);
      try {
        const addressed = await remote.requestAddresses(network, planned);
        // A driver that hears of a container late hears of its ports when it joins.
        await remote.join(
          sandbox,
          network,
          addressed,
          !network.internal && Object.keys(sandbox.portRequest.bindings).length === 0,
        );
        await connectLinks(
          [linkPlan(network, addressed, !this.#parts.userlandProxy) ?? []].flat(),
          sandbox.netnsPath,
          [],
        );
        await this.#gatewayEndpoints.move(sandbox, before);
        await this.#parts.dns.joined(containerId, network);
      } catch (error) {
        await this.#gatewayEndpoints.detach(sandbox, records.endpoints.get(planned.id) ?? planned);
        await this.#gatewayEndpoints
          .move(sandbox, this.#gatewayEndpoints.leads(containerId))
          .catch((failure: unknown) => log.error({ err: failure, containerId }, "default routes cannot be led back"));
        throw error;
      }
      const endpoint = records.endpoints.get(planned.id) ?? planned;
      await remote.look(network, endpoint);
      addToHosts(sandbox, endpoint);
      emit("network", "connect", eventActor(network, containerId));
      return this.get(containerId)!;
    });
  }

  disconnect(containerId: string, nameOrId: string): Promise<Sandbox> {
    return this.#locks.run(containerId, async () => {
      const { records, networks, emit } = this.#parts;
      const sandbox = this.#sandbox(containerId);
      const network = networks.record(nameOrId);
      const endpoint = records
        .endpointsOf(containerId)
        .find(({ networkId, service }) => networkId === network.id && !service);
      if (!endpoint) throw new Unknown(`container ${containerId} is not connected to network ${network.name}`);
      const before = this.#gatewayEndpoints.leads(containerId);
      await this.#gatewayEndpoints.detach(sandbox, endpoint);
      removeFromHosts(sandbox, endpoint);
      await this.#gatewayEndpoints.move(sandbox, before);
      await this.#parts.dns.update([network.id]);
      emit("network", "disconnect", eventActor(network, containerId));
      return this.get(containerId)!;
    });
  }

  publish(
    containerId: string,
    request: Pick<SandboxRequest, "portBindings" | "publishAllPorts" | "exposedPorts">,
  ): Promise<Sandbox> {
    return this.#locks.run(containerId, async () => {
      const { records, publisher, remote } = this.#parts;
      const sandbox = this.#sandbox(containerId);
      const next = {
        ...sandbox,
        portRequest: {
          bindings: request.portBindings,
          exposed: request.exposedPorts,
          publishAll: request.publishAllPorts,
        },
      };
      const gateway = gatewayEndpoint(records, containerId);
      const network = gateway && records.networks.get(gateway.networkId);
      if (gateway && network && !hasPluginDriver(network)) await publisher.change(sandbox, next, gateway);
      else {
        records.putSandbox(next);
        if (gateway) await remote.revokeExternal(gateway);
        await this.#gatewayEndpoints.publish(next);
      }
      return this.get(containerId)!;
    });
  }

  async rename(containerId: string, name: string): Promise<Sandbox | undefined> {
    const { records, dns, log } = this.#parts;
    const sandbox = records.sandboxes.get(containerId);
    if (!sandbox || sandbox.containerName === name) return this.get(containerId);
    records.putSandbox({ ...sandbox, containerName: name });
    const networks = records.endpointsOf(containerId).map(({ networkId }) => networkId);
    await dns
      .update(networks)
      .catch((error: unknown) => log.error({ err: error, containerId }, "the new name is not in DNS yet"));
    return this.get(containerId);
  }
}
