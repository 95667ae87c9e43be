import type { Network } from "@longshore/docker-api";
import { InvalidArgument, NotFound, PermissionDenied } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";
import { Mutex } from "@longshore/concurrency";
import { deviceAddresses, enableForwarding, ensureBridge, forwards, tuneBridge } from "../bridge/bridge.ts";
import { label, parseBridgeOptions } from "../bridge/bridge-options.ts";
import type { NetworkCreateOptions, Networks } from "../contract.ts";
import { dnsNames } from "../endpoint/dns-names.ts";
import { isUserDefined, validateEndpoint } from "../endpoint/endpoint-settings.ts";
import { withFamilies } from "./family-options.ts";
import type { Firewall } from "../firewall/firewall.ts";
import { mustPrefix } from "../ipam/defaults.ts";
import type { AddressPool } from "../ipam/pool.ts";
import { deviceExists } from "@longshore/netlink";
import { bridgeAddresses, bridgeName, removeDevice } from "./network-device.ts";
import { planNetwork, predefined } from "./network-create.ts";
import { showMember, showNetwork } from "./network-view.ts";
import { ensureParent, planParent } from "../parent/parent-device.ts";
import type { PluginReleases } from "../remote/plugin-releases.ts";
import { replayPools } from "../remote/replay-pools.ts";
import { hasPluginDriver, hasPluginIpam, type RemoteNetworks } from "../remote/remote-networks.ts";
import type { EndpointRecord, NetworkRecord, Records } from "../records/records.ts";
import { gatewayless, refuseMoreSubnets, SubnetChoice } from "../bridge/subnet-choice.ts";
import { isVlanDriver } from "../parent/vlan-options.ts";

/** What all networks have in common, from dockerd's options. */
export interface NetworkDefaults {
  /** Whether IP forwarding may be switched on, and whether the host then forwards only what a rule accepts. */
  ipForward: boolean;
  ipForwardNoDrop: boolean;
  userlandProxy: boolean;
  /** By driver: options of networks that do not say otherwise. */
  defaultNetworkOpts: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The network that leads out where a container's own ones, of plugins, do not. */
const gatewayNetwork = {
  Name: "docker_gwbridge",
  Driver: "bridge",
  Options: { [label.icc]: "false", [label.masquerade]: "true" },
};

/** What else the store works with. */
export interface NetworkStoreParts {
  records: Records;
  firewall: Firewall;
  pools: AddressPool[];
  defaults: NetworkDefaults;
  remote: RemoteNetworks;
  releases: PluginReleases;
  log: Logger;
}

/** Keeps the networks, their devices and their rules. */
export class NetworkStore implements Networks {
  readonly #records: Records;
  readonly #firewall: Firewall;
  readonly #log: Logger;
  readonly #defaults: NetworkDefaults;
  /** Where the engine's own drivers have their addresses from. */
  readonly subnets: SubnetChoice;
  readonly #remote: RemoteNetworks;
  readonly #releases: PluginReleases;
  /** Networks that plugins are just making, by id: their names and blocks are taken. */
  readonly #creating = new Map<string, NetworkRecord>();
  /** Creations and removals one after the other: names and subnets are checked against what stands. */
  readonly #turn = new Mutex();

  constructor({ records, firewall, pools, defaults, remote, releases, log }: NetworkStoreParts) {
    this.#records = records;
    this.#firewall = firewall;
    this.#log = log;
    this.#defaults = defaults;
    this.#remote = remote;
    this.#releases = releases;
    this.subnets = new SubnetChoice(pools, () => this.#all());
  }

  /** @throws NotFound, InvalidArgument */
  record(idOrName: string): NetworkRecord {
    const all = [...this.#records.networks.values()];
    const exact = this.#records.networks.get(idOrName) ?? all.find(({ name }) => name === idOrName);
    if (exact) return exact;
    const matches = all.filter(({ id }) => id.startsWith(idOrName));
    if (matches.length > 1)
      throw new InvalidArgument(
        `network ${idOrName} is ambiguous (${matches.length} matches found based on ID prefix)`,
      );
    const [match] = matches;
    if (!match) throw new NotFound(`network ${idOrName} not found`);
    return match;
  }

  get(idOrName: string): Network {
    return showNetwork(this.record(idOrName), {});
  }

  inspect(idOrName: string): Network {
    const record = this.record(idOrName);
    const containers = this.#records
      .endpointsIn(record.id)
      .map((endpoint) => [endpoint.containerId, showMember(record, endpoint, this.#memberName(endpoint))] as const);
    return showNetwork(record, Object.fromEntries(containers));
  }

  #memberName({ containerId, service }: EndpointRecord): string {
    const sandbox = this.#records.sandboxes.get(containerId);
    return service ? `gateway_${sandbox?.id.slice(0, 12) ?? ""}` : (sandbox?.containerName ?? "");
  }

  list(): Network[] {
    return [...this.#records.networks.values()].map((record) => showNetwork(record, {}));
  }

  inUse(id: string): boolean {
    return this.#records.endpointsIn(id).length > 0;
  }

  validateEndpoint(network: string, settings: Parameters<Networks["validateEndpoint"]>[1]): void {
    validateEndpoint(this.record(network), settings);
  }

  dnsNames(
    network: string,
    container: Parameters<Networks["dnsNames"]>[1],
    aliases: readonly string[],
  ): string[] | null {
    return isUserDefined(this.record(network)) ? dnsNames(container, aliases) : null;
  }

  async create(options: NetworkCreateOptions): Promise<string> {
    const record = await this.#turn.run(async () => {
      const planned = planNetwork(this.#records, this.#all(), this.#withDefaultOptions(options));
      if (planned.configOnly) this.#records.putNetwork(planned);
      else if (hasPluginDriver(planned) || hasPluginIpam(planned)) this.#creating.set(planned.id, planned);
      else await this.#make(planned);
      return planned;
    });
    if (!this.#creating.has(record.id)) return record.id;
    // Nobody else waits while a plugin thinks.
    try {
      await this.#releases.during(record.id, () => this.#makeWithPlugins(record));
    } finally {
      this.#creating.delete(record.id);
    }
    return record.id;
  }

  async #makeWithPlugins(record: NetworkRecord): Promise<void> {
    const skip = await this.#remote.prepare(record);
    try {
      if (!hasPluginDriver(record)) {
        refuseMoreSubnets(record);
        await this.#remote.requestPools(record, gatewayless(record));
        await this.#turn.run(() => this.#make(record));
        return;
      }
      if (hasPluginIpam(record)) await this.#remote.requestPools(record, skip);
      else await this.#turn.run(() => this.subnets.assign(record, skip));
      await this.#remote.create(record);
      await this.#turn.run(async () => this.#records.putNetwork(record));
    } catch (error) {
      await this.#releases.settle(record.id);
      throw error;
    }
  }

  /** The network that leads out for containers whose own ones do not; an administrator may have made it. */
  async gatewayNetwork(): Promise<NetworkRecord> {
    const find = (): NetworkRecord | undefined =>
      [...this.#records.networks.values()].find(({ name }) => name === gatewayNetwork.Name);
    const found = find();
    if (found) return found;
    const id = await this.create(gatewayNetwork).catch((error: unknown) => {
      // Another container's start was faster.
      if (find() === undefined) throw error;
      return gatewayNetwork.Name;
    });
    return this.record(id);
  }

  /** Asks IPAM plugins that forget for what they gave before the engine's start; nobody waits for it. */
  replayPools(): Promise<void> {
    return replayPools({ records: this.#records, remote: this.#remote, releases: this.#releases, log: this.#log });
  }

  /** A network that takes its options from another one's configuration has no defaults. @throws InvalidArgument, see `withFamilies` */
  #withDefaultOptions(options: NetworkCreateOptions): NetworkCreateOptions {
    const defaults = this.#defaults.defaultNetworkOpts[options.Driver || "bridge"];
    return withFamilies(
      defaults === undefined || (options.ConfigFrom ?? "") !== ""
        ? options
        : { ...options, Options: { ...defaults, ...options.Options } },
    );
  }

  /** All networks, with those that are just being made. */
  #all(): NetworkRecord[] {
    return [...this.#records.networks.values(), ...this.#creating.values()];
  }

  /** Makes a network of one of the engine's own drivers. */
  async #make(record: NetworkRecord): Promise<void> {
    if (isVlanDriver(record.driver)) record.parent = await planParent(record, this.#records.networks.values());
    const bridge = isVlanDriver(record.driver) ? "" : bridgeName(record, this.#records.networks.values());
    if (record.pools === undefined) await this.subnets.assign(record, gatewayless(record));
    if (bridge !== "") {
      record.bridge = bridge;
      record.ownsBridge = !(await deviceExists(bridge));
      const present = record.ownsBridge ? [] : await deviceAddresses(bridge);
      record.ownAddresses = bridgeAddresses(record).filter((address) => !present.includes(address));
    }
    await this.#bringUp(record);
  }

  /** The record first, then the device: after a kill in between, the next start makes the device. */
  async #bringUp(record: NetworkRecord): Promise<void> {
    this.#records.putNetwork(record);
    try {
      await this.ensureDevice(record);
      if (record.bridge !== "") await this.#firewall.rebuild();
    } catch (error) {
      await removeDevice(record);
      this.#records.dropNetwork(record.id);
      if (record.bridge !== "") await this.#firewall.rebuild();
      throw error;
    }
  }

  /** Makes the bridge of a network, or what is missing of it, or the device that it lies on. */
  async ensureDevice(record: NetworkRecord): Promise<void> {
    if (record.parent) {
      if (record.parent.ours) await ensureParent(record.parent, (record.options["parent"] ?? "") !== "");
      return;
    }
    const addresses = bridgeAddresses(record);
    const { ipForward, ipForwardNoDrop, userlandProxy } = this.#defaults;
    for (const { family } of addresses.map(mustPrefix)) {
      if (!ipForward || forwards(family)) continue;
      if (!ipForwardNoDrop) await this.#firewall.dropForwarded(family);
      enableForwarding(family, this.#log);
    }
    const { mtu, icc } = parseBridgeOptions(record);
    await ensureBridge({ name: record.bridge, mtu, addresses });
    tuneBridge(record.bridge, { userlandProxy, icc });
  }

  /** As `ensureDevice`, for a network that was: one whose device cannot be made, such as that of a card that is gone, keeps no other from working. */
  async restoreDevice(record: NetworkRecord): Promise<void> {
    await this.ensureDevice(record).catch((error: unknown) =>
      this.#log.error({ err: error, network: record.name }, "the device of a network cannot be made"),
    );
  }

  async remove(idOrName: string): Promise<void> {
    const id = await this.#turn.run(async () => {
      const record = this.record(idOrName);
      if (predefined.includes(record.name))
        throw new PermissionDenied(`${record.name} is a pre-defined network and cannot be removed`);
      const endpoints = this.#records.endpointsIn(record.id);
      if (endpoints.length > 0) {
        const names = endpoints.map(
          (endpoint) => `name:"${this.#memberName(endpoint)}" id:"${endpoint.id.slice(0, 12)}"`,
        );
        throw new PermissionDenied(
          `error while removing network: network ${record.name} has active endpoints (${names.join(", ")})`,
        );
      }
      const dependent = [...this.#records.networks.values()].find(
        ({ configFrom }) => record.configOnly && configFrom === record.name,
      );
      if (dependent)
        throw new PermissionDenied(`error while removing network: configuration network "${record.name}" is in use`);
      await this.#tearDown(record);
      return record.id;
    });
    await this.#releases.settle(id);
  }

  /** The device first, then the record: after a kill in between, the network is still there and can be removed again. */
  async #tearDown(record: NetworkRecord): Promise<void> {
    const heir =
      record.parent?.ours === true &&
      [...this.#records.networks.values()].find(
        ({ id, parent }) => id !== record.id && parent?.device === record.parent?.device,
      );
    // Another network lies on the device: it is now that one's to remove.
    if (heir && heir.parent) this.#records.putNetwork({ ...heir, parent: { ...heir.parent, ours: true } });
    else await removeDevice(record);
    this.#records.dropNetwork(record.id);
    if (record.bridge === "") return;
    // Rules for a bridge that is gone match nothing: nobody waits for their end, and the next rebuild ends them if this one fails.
    this.#firewall
      .rebuild()
      .catch((error: unknown) =>
        this.#log.error({ err: error, network: record.name }, "the rules of a removed network are still there"),
      );
  }

  async prune(matches: (network: Network) => boolean): Promise<Network[]> {
    const pruned = await this.#turn.run(async () => {
      const unused = [...this.#records.networks.values()].filter(
        ({ id, name, configOnly }) => !predefined.includes(name) && !configOnly && !this.inUse(id),
      );
      const removed: Network[] = [];
      for (const record of unused) {
        const network = showNetwork(record, {});
        if (!matches(network)) continue;
        await this.#tearDown(record);
        removed.push(network);
      }
      return removed;
    });
    for (const { Id } of pruned) await this.#releases.settle(Id);
    return pruned;
  }

  /** Puts in a predefined network, or replaces its record. */
  async put(record: NetworkRecord): Promise<void> {
    await this.#turn.run(async () => {
      this.#records.putNetwork(record);
      if (record.bridge !== "") await this.ensureDevice(record);
    });
  }
}
