import { randomBytes } from "node:crypto";
import type { IPAMConfig, Network } from "@longshore/api";
import { InvalidArgument, NotFound, PermissionDenied, Unknown } from "@longshore/errdefs";
import type { Logger } from "@longshore/log";
import { deviceAddresses, deviceExists, enableForwarding, ensureBridge, forwards, hostRoutes } from "./bridge.ts";
import { parseBridgeOptions } from "./bridge-options.ts";
import type { NetworkCreateOptions, Networks } from "./contract.ts";
import { validateEndpoint } from "./endpoint-settings.ts";
import type { Firewall } from "./firewall/firewall.ts";
import { mustPrefix, randomUlaPool } from "./ipam/defaults.ts";
import { type AddressPool, chooseSubnet } from "./ipam/pool.ts";
import { type Family, formatPrefix, overlaps, type Prefix } from "./ipam/prefix.ts";
import { subnetOf } from "./ipam/subnet.ts";
import { bridgeAddresses, removeDevice } from "./network-device.ts";
import { checkCreate, predefined, withConfigFrom } from "./network-create.ts";
import { showMember, showNetwork } from "./network-view.ts";
import { ensureParent, planParent } from "./parent-device.ts";
import type { NetworkRecord, Records } from "./records.ts";
import { isVlanDriver, routesByLink } from "./vlan-options.ts";

export function newId(): string {
  return randomBytes(32).toString("hex");
}

/** RFC 3339 with nine digits, as Docker writes times. */
export function now(): string {
  return new Date().toISOString().replace("Z", "000000Z");
}

/** What all networks have in common, from dockerd's options. */
export interface NetworkDefaults {
  /** Whether IP forwarding may be switched on, and whether the host then forwards only what a rule accepts. */
  ipForward: boolean;
  ipForwardNoDrop: boolean;
  /** By driver: options of networks that do not say otherwise. */
  defaultNetworkOpts: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Whether a subnet without a given gateway gets one: not where nothing leads out by an address. */
function needsGateway(record: NetworkRecord, family: Family): boolean {
  if (record.parent) return !record.internal && !routesByLink(record);
  return parseBridgeOptions(record).gatewayMode[family] !== "isolated";
}

/** Keeps the networks, their devices and their rules. */
export class NetworkStore implements Networks {
  readonly #records: Records;
  readonly #firewall: Firewall;
  readonly #log: Logger;
  readonly #defaults: NetworkDefaults;
  readonly #pools: { 4: AddressPool[]; 6: AddressPool[] };
  #last: Promise<unknown> = Promise.resolve();

  constructor(records: Records, firewall: Firewall, pools: AddressPool[], defaults: NetworkDefaults, log: Logger) {
    this.#records = records;
    this.#firewall = firewall;
    this.#log = log;
    this.#defaults = defaults;
    const v6 = pools.filter(({ base }) => base.family === 6);
    this.#pools = { 4: pools.filter(({ base }) => base.family === 4), 6: v6.length > 0 ? v6 : [randomUlaPool()] };
  }

  /** Creations and removals one after the other: names and subnets are checked against what stands. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#last.then(change);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** @throws NotFound, InvalidArgument */
  record(idOrName: string): NetworkRecord {
    const all = [...this.#records.networks.values()];
    const exact = this.#records.networks.get(idOrName) ?? all.find(({ name }) => name === idOrName);
    if (exact) return exact;
    const matches = idOrName === "" ? [] : all.filter(({ id }) => id.startsWith(idOrName));
    if (matches.length > 1) throw new InvalidArgument(`network ${idOrName} is ambiguous (${matches.length} matches found based on ID prefix)`);
    const [match] = matches;
    if (!match) throw new NotFound(`network ${idOrName} not found`);
    return match;
  }

  get(idOrName: string): Network {
    return showNetwork(this.record(idOrName), {});
  }

  inspect(idOrName: string): Network {
    const record = this.record(idOrName);
    const containers = this.#records.endpointsIn(record.id).map((endpoint) => {
      const name = this.#records.sandboxes.get(endpoint.containerId)?.containerName ?? "";
      return [endpoint.containerId, showMember(record, endpoint, name)] as const;
    });
    return showNetwork(record, Object.fromEntries(containers));
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

  create(options: Partial<NetworkCreateOptions> & { Name: string }): Promise<string> {
    return this.#inTurn(() => this.#create(this.#withDefaultOptions(options)));
  }

  /** A network that takes its options from another one's configuration has no defaults. */
  #withDefaultOptions(options: Partial<NetworkCreateOptions> & { Name: string }): Partial<NetworkCreateOptions> & { Name: string } {
    const defaults = this.#defaults.defaultNetworkOpts[options.Driver || "bridge"];
    return defaults === undefined || (options.ConfigFrom ?? "") !== "" ? options : { ...options, Options: { ...defaults, ...options.Options } };
  }

  async #create(given: Partial<NetworkCreateOptions> & { Name: string }): Promise<string> {
    checkCreate(this.#records, given);
    const options = withConfigFrom(this.#records, given);
    const configOnly = options.ConfigOnly === true;
    const configs = options.IPAM?.Config ?? [];
    const record: NetworkRecord = {
      id: newId(),
      name: options.Name,
      created: now(),
      driver: configOnly ? "null" : options.Driver || "bridge",
      scope: options.Scope === undefined || options.Scope === "" ? "local" : options.Scope,
      enableIPv4: options.EnableIPv4 ?? true,
      enableIPv6: options.EnableIPv6 ?? false,
      ipam: { Driver: "default", Options: options.IPAM?.Options ?? null, Config: configs.length > 0 ? configs : null },
      internal: options.Internal ?? false,
      attachable: options.Attachable ?? false,
      ingress: false,
      configOnly,
      configFrom: options.ConfigFrom ?? "",
      options: options.Options ?? {},
      labels: options.Labels ?? {},
      subnets: [],
      userSubnets: configs.map(({ Subnet }) => Subnet ?? ""),
      bridge: "",
      ownsBridge: false,
      ownAddresses: [],
    };
    if (configOnly) {
      this.#records.putNetwork(record);
      return record.id;
    }
    if (isVlanDriver(record.driver)) record.parent = planParent(record, this.#records.networks.values());
    const bridge = isVlanDriver(record.driver) ? "" : this.#bridgeName(record);
    await this.#assignSubnets(record);
    if (bridge !== "") {
      record.bridge = bridge;
      record.ownsBridge = !deviceExists(bridge);
      const present = record.ownsBridge ? [] : await deviceAddresses(bridge);
      record.ownAddresses = bridgeAddresses(record).filter((address) => !present.includes(address));
    }
    await this.#bringUp(record);
    return record.id;
  }

  #bridgeName(record: NetworkRecord): string {
    const { name: bridge } = parseBridgeOptions(record);
    const same = [...this.#records.networks.values()].find((other) => other.bridge === bridge);
    if (same) {
      throw new PermissionDenied(
        `cannot create network ${record.id} (${bridge}): conflicts with network ${same.id} (${same.bridge}): networks have same bridge name`,
      );
    }
    if (bridge.length > 15) throw new Unknown("numerical result out of range");
    if (/[\s/:"]/.test(bridge)) throw new Unknown("invalid argument");
    return bridge;
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
    const { ipForward, ipForwardNoDrop } = this.#defaults;
    for (const { family } of addresses.map(mustPrefix)) {
      if (!ipForward || forwards(family)) continue;
      if (!ipForwardNoDrop) await this.#firewall.dropForwarded(family);
      enableForwarding(family, this.#log);
    }
    await ensureBridge({ name: record.bridge, mtu: parseBridgeOptions(record).mtu, addresses });
  }

  /** As `ensureDevice`, for a network that was: one whose device cannot be made, such as that of a card that is gone, keeps no other from working. */
  async restoreDevice(record: NetworkRecord): Promise<void> {
    await this.ensureDevice(record).catch((error: unknown) => this.#log.error({ err: error, network: record.name }, "the device of a network cannot be made"));
  }

  /** Subnets in use by other networks and by the host's routes, `own` device left out. */
  async taken(family: Family, own = ""): Promise<Prefix[]> {
    const records = [...this.#records.networks.values()].filter(({ bridge }) => bridge !== own || own === "");
    const mine = records.flatMap(({ subnets }) => subnets.map(({ subnet }) => mustPrefix(subnet)));
    return [...mine.filter((prefix) => prefix.family === family), ...(await hostRoutes(family, new Set([own])))];
  }

  async #assignSubnets(record: NetworkRecord): Promise<void> {
    const configs = record.ipam.Config ?? [];
    const shown: IPAMConfig[] = [];
    for (const family of [4, 6] as const) {
      const mine = configs.filter(({ Subnet }) => mustPrefix(Subnet ?? "").family === family);
      shown.push(...mine);
      if (!(family === 4 ? record.enableIPv4 : record.enableIPv6)) continue;
      if (mine.length > 1 && !record.parent) throw new PermissionDenied("bridge driver doesn't support multiple subnets");
      const gateway = needsGateway(record, family);
      for (const config of mine) {
        this.#refuseOverlap(mustPrefix(config.Subnet ?? ""), record);
        record.subnets.push(subnetOf(config, gateway));
      }
      if (mine.length > 0) continue;
      const subnet = formatPrefix(chooseSubnet(this.#pools[family], await this.taken(family)));
      const chosen = subnetOf({ Subnet: subnet }, gateway);
      shown.push({ Subnet: subnet, ...(chosen.gateway === "" ? {} : { Gateway: chosen.gateway }) });
      record.subnets.push(chosen);
    }
    record.ipam = { ...record.ipam, Config: shown.length > 0 ? shown : null };
  }

  #refuseOverlap(prefix: Prefix, record: NetworkRecord): void {
    for (const { subnets } of [...this.#records.networks.values(), record]) {
      if (subnets.some(({ subnet }) => overlaps(mustPrefix(subnet), prefix))) {
        throw new PermissionDenied("invalid pool request: Pool overlaps with other one on this address space");
      }
    }
  }

  remove(idOrName: string): Promise<void> {
    return this.#inTurn(async () => {
      const record = this.record(idOrName);
      if (predefined.includes(record.name)) throw new PermissionDenied(`${record.name} is a pre-defined network and cannot be removed`);
      const endpoints = this.#records.endpointsIn(record.id);
      if (endpoints.length > 0) {
        const names = endpoints.map(({ id, containerId }) => `name:"${this.#records.sandboxes.get(containerId)?.containerName ?? ""}" id:"${id.slice(0, 12)}"`);
        throw new PermissionDenied(`error while removing network: network ${record.name} has active endpoints (${names.join(", ")})`);
      }
      const dependent = [...this.#records.networks.values()].find(({ configFrom }) => record.configOnly && configFrom === record.name);
      if (dependent) throw new PermissionDenied(`error while removing network: configuration network "${record.name}" is in use`);
      await this.#tearDown(record);
    });
  }

  /** The device first, then the record: after a kill in between, the network is still there and can be removed again. */
  async #tearDown(record: NetworkRecord): Promise<void> {
    const heir = record.parent?.ours === true && [...this.#records.networks.values()].find(({ id, parent }) => id !== record.id && parent?.device === record.parent?.device);
    // Another network lies on the device: it is now that one's to remove.
    if (heir && heir.parent) this.#records.putNetwork({ ...heir, parent: { ...heir.parent, ours: true } });
    else await removeDevice(record);
    this.#records.dropNetwork(record.id);
    if (record.bridge === "") return;
    // Rules for a bridge that is gone match nothing: nobody waits for their end, and the next rebuild ends them if this one fails.
    this.#firewall.rebuild().catch((error: unknown) => this.#log.error({ err: error, network: record.name }, "the rules of a removed network are still there"));
  }

  prune(matches: (network: Network) => boolean): Promise<Network[]> {
    return this.#inTurn(async () => {
      const unused = [...this.#records.networks.values()].filter(({ id, name, configOnly }) => !predefined.includes(name) && !configOnly && !this.inUse(id));
      const removed: Network[] = [];
      for (const record of unused) {
        const network = showNetwork(record, {});
        if (!matches(network)) continue;
        await this.#tearDown(record);
        removed.push(network);
      }
      return removed;
    });
  }

  /** Puts in a predefined network, or replaces its record. */
  async put(record: NetworkRecord): Promise<void> {
    await this.#inTurn(async () => {
      this.#records.putNetwork(record);
      if (record.bridge !== "") await this.ensureDevice(record);
    });
  }

  /** The first of the pools that is free; for the default bridge. */
  async freeSubnet(own: string): Promise<Prefix> {
    return chooseSubnet(this.#pools[4], await this.taken(4, own));
  }
}
