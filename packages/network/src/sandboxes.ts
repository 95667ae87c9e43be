import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { EmitEvent, EndpointSettings } from "@longshore/api";
import { fromGrpcCode, grpcCodeOf, messageOf, NotFound, Unknown } from "@longshore/errdefs";
import type { Logger } from "@longshore/log";
import { createNetns, removeNetns } from "@longshore/sys";
import { connectLinks, type DefaultRoutes, disconnectLink, moveDefaultRoutes } from "./attach.ts";
import type { Sandbox, SandboxRequest, Sandboxes } from "./contract.ts";
import type { DnsControl } from "./dns/control.ts";
import { createEndpoint, gatewayEndpoint, linkPlan, showEndpoint } from "./endpoint.ts";
import { isUserDefined } from "./endpoint-settings.ts";
import { type NetworkStore, newId } from "./networks.ts";
import type { Publisher } from "./publisher.ts";
import type { EndpointRecord, NetworkRecord, Records, SandboxRecord } from "./records.ts";
import { addToHosts, removeFromHosts, writeNames, writeResolvConf } from "./sandbox-files.ts";
import { gatewayOf } from "./subnets.ts";
import { VethRemover } from "./veth-remover.ts";
import { routesByLink } from "./vlan-options.ts";
import { wantedNetworks } from "./wanted-networks.ts";

interface Parts {
  records: Records;
  networks: NetworkStore;
  publisher: Publisher;
  dns: DnsControl;
  emit: EmitEvent;
  log: Logger;
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
  /** One change to a container's network after the other. */
  readonly #last = new Map<string, Promise<unknown>>();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#links = new VethRemover(parts.log);
  }

  /** Waits until the links of released sandboxes are gone. */
  settled(): Promise<void> {
    return this.#links.settled();
  }

  async #inTurn<T>(containerId: string, change: () => Promise<T>): Promise<T> {
    const result = (this.#last.get(containerId) ?? Promise.resolve()).then(change);
    const settled = result.catch(() => undefined);
    this.#last.set(containerId, settled);
    try {
      return await result;
    } finally {
      if (this.#last.get(containerId) === settled) this.#last.delete(containerId);
    }
  }

  get(containerId: string): Sandbox | undefined {
    const { records } = this.#parts;
    const sandbox = records.sandboxes.get(containerId);
    if (!sandbox) return undefined;
    const networks = this.#joined(containerId).map(({ network, endpoint }) => [network.name, showEndpoint(network, endpoint, sandbox)] as const);
    return { id: sandbox.id, netnsPath: sandbox.netnsPath, networks: Object.fromEntries(networks), ports: sandbox.ports, portBindings: sandbox.portRequest.bindings };
  }

  #joined(containerId: string): { network: NetworkRecord; endpoint: EndpointRecord }[] {
    const { records } = this.#parts;
    return records.endpointsOf(containerId).flatMap((endpoint) => {
      const network = records.networks.get(endpoint.networkId);
      return network ? [{ network, endpoint }] : [];
    });
  }

  #sandbox(containerId: string): SandboxRecord {
    const sandbox = this.#parts.records.sandboxes.get(containerId);
    if (!sandbox) throw new NotFound(`container ${containerId} has no network sandbox`);
    return sandbox;
  }

  allocate(request: SandboxRequest): Promise<Sandbox> {
    return this.#inTurn(request.containerId, async () => {
      if (request.networkMode.startsWith("container:")) {
        const donor = this.#sandbox(request.networkMode.slice("container:".length));
        return { id: "", netnsPath: donor.netnsPath, networks: {}, ports: {}, portBindings: {} };
      }
      try {
        await this.#release(request.containerId);
        await this.#allocate(request);
      } catch (error) {
        await this.#release(request.containerId);
        throw fromGrpcCode(grpcCodeOf(error), `failed to set up container networking: ${messageOf(error)}`, error);
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
      portRequest: { bindings: request.portBindings, exposed: request.exposedPorts, publishAll: request.publishAllPorts },
      ports: {},
      published: [],
      dns: null,
    };
    // All at once: whatever dies from here on, the next start knows what there is to take back.
    records.atomically(() => {
      records.putSandbox(sandbox);
      for (const { network, settings } of wanted) createEndpoint(records, sandbox, network, settings);
    });
    const embedded = wanted.some(({ network }) => isUserDefined(network));
    const dns = writeResolvConf(request, host ? "host" : embedded ? "embedded" : "legacy");
    writeNames(request, records.endpointsOf(sandbox.containerId), this.#hostGateway());
    const withDns: SandboxRecord = { ...sandbox, dns: embedded ? dns : null };
    records.putSandbox(withDns);
    await settleAll([host ? Promise.resolve() : this.#connectLinks(withDns), this.#publish(withDns)]);
    for (const { network } of wanted) emit("network", "connect", eventActor(network, sandbox.containerId));
  }

  #hostGateway(): string[] {
    const { hostGatewayIps, records } = this.#parts;
    if (hostGatewayIps.length > 0) return hostGatewayIps;
    const bridge = [...records.networks.values()].find(({ name }) => name === "bridge");
    return bridge ? bridge.subnets.map(({ gateway }) => gateway) : [];
  }

  async #connectLinks(sandbox: SandboxRecord): Promise<void> {
    await mkdir(this.#parts.netnsDir, { recursive: true, mode: 0o755 });
    createNetns(sandbox.netnsPath);
    const plans = this.#joined(sandbox.containerId).flatMap(({ network, endpoint }) => linkPlan(network, endpoint) ?? []);
    await connectLinks(plans, sandbox.netnsPath, this.#routes(sandbox.containerId));
    if (sandbox.dns) await this.#parts.dns.serve(sandbox);
  }

  #routes(containerId: string): DefaultRoutes | undefined {
    const { records } = this.#parts;
    const gateway = gatewayEndpoint(records, containerId);
    const network = gateway && records.networks.get(gateway.networkId);
    if (!gateway || !network) return undefined;
    const { ifname, ipv4, ipv6 } = gateway;
    if (!routesByLink(network)) return { ifname, gateways: [gatewayOf(network, ipv4), gatewayOf(network, ipv6)], direct: [] };
    return { ifname, gateways: [], direct: [...(ipv4 === "" ? [] : [4 as const]), ...(ipv6 === "" ? [] : [6 as const])] };
  }

  async #publish(sandbox: SandboxRecord): Promise<void> {
    const { records, publisher } = this.#parts;
    const gateway = gatewayEndpoint(records, sandbox.containerId);
    const network = gateway && records.networks.get(gateway.networkId);
    // Only bridges publish: what lies on a device of the host is reached there.
    if (gateway && network && network.bridge !== "") await publisher.publish(sandbox, network, gateway);
  }

  release(containerId: string): Promise<void> {
    return this.#inTurn(containerId, async () => {
      const joined = this.#joined(containerId);
      await this.#release(containerId);
      for (const { network } of joined) this.#parts.emit("network", "disconnect", eventActor(network, containerId));
    });
  }

  async #release(containerId: string): Promise<void> {
    const { records, publisher, dns } = this.#parts;
    const sandbox = records.sandboxes.get(containerId);
    if (!sandbox) return;
    const endpoints = records.endpointsOf(containerId);
    await settleAll([
      publisher.unpublish(sandbox),
      (sandbox.dns ? dns.stop(containerId) : Promise.resolve()).finally(() => (sandbox.mode === "private" ? removeNetns(sandbox.netnsPath) : undefined)),
    ]);
    // Last, so that a release that fails or dies half-way can be repeated.
    records.atomically(() => {
      for (const { id } of endpoints) records.dropEndpoint(id);
      records.dropSandbox(containerId);
    });
    this.#links.expectGone(endpoints.map(({ veth }) => veth));
    await dns.update(endpoints.map(({ networkId }) => networkId));
  }

  async restore(running: ReadonlySet<string>): Promise<void> {
    const { records, dns, log } = this.#parts;
    for (const containerId of [...records.sandboxes.keys()]) {
      if (running.has(containerId)) continue;
      await this.release(containerId).catch((error: unknown) => log.error({ err: error, containerId }, "a network sandbox cannot be released"));
    }
    // Ends what no record knows: an engine died between its records and its links.
    await this.#links.removeStrays(
      [...records.networks.values()].map(({ bridge }) => bridge),
      new Set([...records.endpoints.values()].map(({ veth }) => veth)),
    );
    const orphans = [...records.endpoints.values()].filter(({ containerId }) => !records.sandboxes.has(containerId));
    await this.#links.remove(orphans.map(({ veth }) => veth));
    for (const { id } of orphans) records.dropEndpoint(id);
    await dns.restore();
  }

  connect(containerId: string, nameOrId: string, settings: Partial<EndpointSettings>): Promise<Sandbox> {
    return this.#inTurn(containerId, async () => {
      const { records, networks, emit } = this.#parts;
      const sandbox = this.#sandbox(containerId);
      const network = networks.record(nameOrId);
      const before = gatewayEndpoint(records, containerId);
      const endpoint = createEndpoint(records, sandbox, network, settings);
      try {
        await connectLinks([linkPlan(network, endpoint) ?? []].flat(), sandbox.netnsPath, this.#routes(containerId));
        await this.#moveGateway(sandbox, before);
        await this.#parts.dns.update([network.id]);
      } catch (error) {
        await this.#unlink(sandbox, endpoint);
        records.dropEndpoint(endpoint.id);
        throw error;
      }
      addToHosts(sandbox, endpoint);
      emit("network", "connect", eventActor(network, containerId));
      return this.get(containerId)!;
    });
  }

  disconnect(containerId: string, nameOrId: string): Promise<Sandbox> {
    return this.#inTurn(containerId, async () => {
      const { records, networks, emit } = this.#parts;
      const sandbox = this.#sandbox(containerId);
      const network = networks.record(nameOrId);
      const endpoint = records.endpointsOf(containerId).find(({ networkId }) => networkId === network.id);
      if (!endpoint) throw new Unknown(`container ${containerId} is not connected to network ${network.name}`);
      const before = gatewayEndpoint(records, containerId);
      await this.#unlink(sandbox, endpoint);
      records.dropEndpoint(endpoint.id);
      removeFromHosts(sandbox, endpoint);
      await moveDefaultRoutes(sandbox.netnsPath, this.#routes(containerId));
      await this.#moveGateway(sandbox, before);
      await this.#parts.dns.update([network.id]);
      emit("network", "disconnect", eventActor(network, containerId));
      return this.get(containerId)!;
    });
  }

  /** Takes an endpoint's link away while its container runs. */
  async #unlink(sandbox: SandboxRecord, { veth, ifname }: EndpointRecord): Promise<void> {
    if (veth !== "") return this.#links.remove([veth]);
    if (ifname !== "") await disconnectLink(sandbox.netnsPath, ifname);
  }

  /** Published ports follow the default route. */
  async #moveGateway(sandbox: SandboxRecord, before: EndpointRecord | undefined): Promise<void> {
    const { records, publisher } = this.#parts;
    const after = gatewayEndpoint(records, sandbox.containerId);
    if (after?.id === before?.id) return;
    await publisher.unpublish(this.#sandbox(sandbox.containerId));
    await this.#publish(this.#sandbox(sandbox.containerId));
  }

  publish(containerId: string, request: Pick<SandboxRequest, "portBindings" | "publishAllPorts" | "exposedPorts">): Promise<Sandbox> {
    return this.#inTurn(containerId, async () => {
      const { records, publisher } = this.#parts;
      const sandbox = this.#sandbox(containerId);
      const next = { ...sandbox, portRequest: { bindings: request.portBindings, exposed: request.exposedPorts, publishAll: request.publishAllPorts } };
      const gateway = gatewayEndpoint(records, containerId);
      const network = gateway && records.networks.get(gateway.networkId);
      if (gateway && network) await publisher.change(sandbox, next, network, gateway);
      else records.putSandbox(next);
      return this.get(containerId)!;
    });
  }

  rename(containerId: string, name: string): void {
    const { records, dns, log } = this.#parts;
    const sandbox = records.sandboxes.get(containerId);
    if (!sandbox) return;
    records.putSandbox({ ...sandbox, containerName: name });
    const networks = records.endpointsOf(containerId).map(({ networkId }) => networkId);
    dns.update(networks).catch((error: unknown) => log.error({ err: error, containerId }, "the new name is not in DNS yet"));
  }
}

function eventActor(network: NetworkRecord, containerId: string): Parameters<EmitEvent>[2] {
  return { ID: network.id, Attributes: { container: containerId, name: network.name, type: network.driver } };
}

/** Waits for all, then throws the first error: nothing goes on behind a failed step's back. */
async function settleAll(steps: Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(steps);
  const failed = results.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
}
