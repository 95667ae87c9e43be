import { randomBytes } from "node:crypto";
import type { IPAMConfig, Network } from "@longshore/api";
import { Conflict, InvalidArgument, NotFound, PermissionDenied, Unknown } from "@longshore/errdefs";
import type { Logger } from "@longshore/log";
import { deviceAddresses, deviceExists, enableForwarding, ensureBridge, forwards, hostRoutes } from "./bridge.ts";
import { parseBridgeOptions } from "./bridge-options.ts";
import type { NetworkCreateOptions, Networks } from "./contract.ts";
import { validateEndpoint } from "./endpoint-settings.ts";
import type { Firewall } from "./firewall/firewall.ts";
import { validateIPAMConfig } from "./ipam/config.ts";
import { mustPrefix, randomUlaPool } from "./ipam/defaults.ts";
import { type AddressPool, chooseSubnet } from "./ipam/pool.ts";
import { type Family, formatPrefix, overlaps, type Prefix } from "./ipam/prefix.ts";
import { subnetOf } from "./ipam/subnet.ts";
import { bridgeAddresses, removeDevice } from "./network-device.ts";
import { showMember, showNetwork } from "./network-view.ts";
import type { NetworkRecord, Records } from "./records.ts";

const predefined: readonly string[] = ["bridge", "host", "none"];
const noSwarm =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

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

  #checkCreate(options: Partial<NetworkCreateOptions> & { Name: string }): void {
    const { Name: name, Driver: driver = "bridge" } = options;
    if (name.trim() === "") throw new InvalidArgument("invalid name: name is empty");
    if (predefined.includes(name) || name === "default") throw new PermissionDenied(`operation is not permitted on predefined ${name} network `);
    if ([...this.#records.networks.values()].some((other) => other.name === name)) throw new Conflict(`network with name ${name} already exists`);
    if (options.Ingress === true) throw new PermissionDenied("Ingress network can only be global scope network");
    if (options.Scope === "swarm") throw new PermissionDenied("cannot create a swarm scoped network when swarm is not active");
    if (driver === "overlay") throw new PermissionDenied(noSwarm);
    if (driver === "host" || driver === "null") throw new PermissionDenied(`only one instance of "${driver}" network is allowed`);
    if (driver !== "bridge" && driver !== "") throw new NotFound(`plugin "${driver}" not found`);
    const ipamDriver = options.IPAM?.Driver ?? "";
    if (ipamDriver !== "" && ipamDriver !== "default") throw new NotFound(`plugin "${ipamDriver}" not found`);
    validateIPAMConfig(options.IPAM?.Config ?? []);
    if (options.EnableIPv4 === false && options.EnableIPv6 !== true) throw new InvalidArgument("IPv4 or IPv6 must be enabled");
  }

  #withConfigFrom(options: Partial<NetworkCreateOptions> & { Name: string }): Partial<NetworkCreateOptions> & { Name: string } {
    const from = options.ConfigFrom ?? "";
    if (from === "") return options;
    const source = [...this.#records.networks.values()].find(({ name, id, configOnly }) => configOnly && (name === from || id === from));
    if (!source) throw new NotFound(`configuration network "${from}" does not exist`);
    const { ipam, options: driverOptions, enableIPv4, enableIPv6, internal } = source;
    return { ...options, IPAM: ipam, Options: driverOptions, EnableIPv4: enableIPv4, EnableIPv6: enableIPv6, Internal: internal };
  }

  async #create(given: Partial<NetworkCreateOptions> & { Name: string }): Promise<string> {
    this.#checkCreate(given);
    const options = this.#withConfigFrom(given);
    const configOnly = options.ConfigOnly === true;
    const record: NetworkRecord = {
      id: newId(),
      name: options.Name,
      created: now(),
      driver: configOnly ? "null" : "bridge",
      scope: options.Scope === undefined || options.Scope === "" ? "local" : options.Scope,
      enableIPv4: options.EnableIPv4 ?? true,
      enableIPv6: options.EnableIPv6 ?? false,
      ipam: { Driver: "default", Options: options.IPAM?.Options ?? null, Config: options.IPAM?.Config ?? null },
      internal: options.Internal ?? false,
      attachable: options.Attachable ?? false,
      ingress: false,
      configOnly,
      configFrom: options.ConfigFrom ?? "",
      options: options.Options ?? {},
      labels: options.Labels ?? {},
      subnets: [],
      userSubnets: (options.IPAM?.Config ?? []).map(({ Subnet }) => Subnet ?? ""),
      bridge: "",
      ownsBridge: false,
      ownAddresses: [],
    };
    if (configOnly) {
      this.#records.putNetwork(record);
      return record.id;
    }
    const { name: bridge } = parseBridgeOptions(record);
    const same = [...this.#records.networks.values()].find((other) => other.bridge === bridge);
    if (same) {
      throw new PermissionDenied(
        `cannot create network ${record.id} (${bridge}): conflicts with network ${same.id} (${same.bridge}): networks have same bridge name`,
      );
    }
    if (!/^[^\s/:"]{1,15}$/.test(bridge)) throw new Unknown("numerical result out of range");
    await this.#assignSubnets(record);
    record.bridge = bridge;
    record.ownsBridge = !deviceExists(bridge);
    const present = record.ownsBridge ? [] : await deviceAddresses(bridge);
    record.ownAddresses = bridgeAddresses(record).filter((address) => !present.includes(address));
    await this.#bringUp(record);
    return record.id;
  }

  /** The record first, then the device: after a kill in between, the next start makes the device. */
  async #bringUp(record: NetworkRecord): Promise<void> {
    this.#records.putNetwork(record);
    try {
      await this.ensureDevice(record);
      await this.#firewall.rebuild();
    } catch (error) {
      await removeDevice(record);
      this.#records.dropNetwork(record.id);
      await this.#firewall.rebuild();
      throw error;
    }
  }

  /** Makes the bridge of a network, or what is missing of it. */
  async ensureDevice(record: NetworkRecord): Promise<void> {
    const addresses = bridgeAddresses(record);
    const { ipForward, ipForwardNoDrop } = this.#defaults;
    for (const { family } of addresses.map(mustPrefix)) {
      if (!ipForward || forwards(family)) continue;
      if (!ipForwardNoDrop) await this.#firewall.dropForwarded(family);
      enableForwarding(family, this.#log);
    }
    await ensureBridge({ name: record.bridge, mtu: parseBridgeOptions(record).mtu, addresses });
  }

  /** Subnets in use by other networks and by the host's routes, `own` device left out. */
  async taken(family: Family, own = ""): Promise<Prefix[]> {
    const records = [...this.#records.networks.values()].filter(({ bridge }) => bridge !== own || own === "");
    const mine = records.flatMap(({ subnets }) => subnets.map(({ subnet }) => mustPrefix(subnet)));
    return [...mine.filter((prefix) => prefix.family === family), ...(await hostRoutes(family, new Set([own])))];
  }

  async #assignSubnets(record: NetworkRecord): Promise<void> {
    const configs = record.ipam.Config ?? [];
    const shown: IPAMConfig[] = [...configs];
    for (const family of [4, 6] as const) {
      if (!(family === 4 ? record.enableIPv4 : record.enableIPv6)) continue;
      const mine = configs.filter(({ Subnet }) => mustPrefix(Subnet ?? "").family === family);
      if (mine.length > 1) throw new PermissionDenied("bridge driver doesn't support multiple subnets");
      const [config] = mine;
      if (config) {
        this.#refuseOverlap(mustPrefix(config.Subnet ?? ""));
        record.subnets.push(subnetOf(config));
        continue;
      }
      const subnet = formatPrefix(chooseSubnet(this.#pools[family], await this.taken(family)));
      const chosen = subnetOf({ Subnet: subnet });
      shown.push({ Subnet: subnet, Gateway: chosen.gateway });
      record.subnets.push(chosen);
    }
    record.ipam = { ...record.ipam, Config: shown };
  }

  #refuseOverlap(prefix: Prefix): void {
    for (const { subnets } of this.#records.networks.values()) {
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
      if (dependent) throw new PermissionDenied(`configuration network "${record.name}" is in use`);
      await this.#tearDown(record);
    });
  }

  /** The device first, then the record: after a kill in between, the network is still there and can be removed again. */
  async #tearDown(record: NetworkRecord): Promise<void> {
    await removeDevice(record);
    this.#records.dropNetwork(record.id);
    if (record.bridge !== "") await this.#firewall.rebuild();
  }

  prune(matches: (network: Network) => boolean): Promise<Network[]> {
    return this.#inTurn(async () => {
      const unused = [...this.#records.networks.values()].filter(({ id, name }) => !predefined.includes(name) && !this.inUse(id));
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
