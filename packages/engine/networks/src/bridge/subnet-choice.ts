import type { IPAMConfig } from "@longshore/docker-api";
import { PermissionDenied } from "@longshore/errdefs";
import { hostRoutes } from "./bridge.ts";
import { parseBridgeOptions } from "./bridge-options.ts";
import { mustPrefix, randomUlaPool } from "../ipam/defaults.ts";
import { type AddressPool, chooseSubnet } from "../ipam/pool.ts";
import { type Family, formatPrefix, overlaps, type Prefix } from "@longshore/ip";
import { subnetOf } from "../ipam/subnet.ts";
import type { NetworkRecord } from "../records/records.ts";
import { hasPluginDriver, noIpam, noIpamConfig } from "../remote/remote-networks.ts";
import { isVlanDriver, routesByLink } from "../parent/vlan-options.ts";

/** What of dockerd's address pools networks of all hosts get. */
const globalPool: AddressPool = { base: mustPrefix("10.0.0.0/8"), size: 24 };

/** @throws PermissionDenied for a bridge that is to have several subnets of one family */
export function refuseMoreSubnets(record: NetworkRecord): void {
  if (isVlanDriver(record.driver) || hasPluginDriver(record)) return;
  const families = (record.ipam.Config ?? []).map(({ Subnet }) => mustPrefix(Subnet ?? "").family);
  if (families.length !== new Set(families).size)
    throw new PermissionDenied("bridge driver doesn't support multiple subnets");
}

/** Whether a subnet without a given gateway gets one: not where nothing leads out by an address. */
function needsGateway(record: NetworkRecord, family: Family): boolean {
  if (isVlanDriver(record.driver)) return !record.internal && !routesByLink(record);
  return parseBridgeOptions(record).gatewayMode[family] !== "isolated";
}

/** Families whose subnets of that network get no gateway unless one is asked for. */
export function gatewayless(record: NetworkRecord): Record<Family, boolean> {
  return { 4: !needsGateway(record, 4), 6: !needsGateway(record, 6) };
}

/** Chooses networks' subnets out of the engine's address pools. */
export class SubnetChoice {
  readonly #pools: Record<Family, AddressPool[]>;
  readonly #networks: () => readonly NetworkRecord[];

  /** @param networks all whose subnets are taken */
  constructor(pools: AddressPool[], networks: () => readonly NetworkRecord[]) {
    const v6 = pools.filter(({ base }) => base.family === 6);
    this.#pools = { 4: pools.filter(({ base }) => base.family === 4), 6: v6.length > 0 ? v6 : [randomUlaPool()] };
    this.#networks = networks;
  }

  /** Subnets in use by other networks and by the host's routes, `own` device left out. */
  async taken(family: Family, own = ""): Promise<Prefix[]> {
    const records = this.#networks().filter(({ bridge }) => bridge !== own || own === "");
    const mine = records.flatMap(({ subnets }) => subnets.map(({ subnet }) => mustPrefix(subnet)));
    return [...mine.filter((prefix) => prefix.family === family), ...(await hostRoutes(family, new Set([own])))];
  }

  /**
   * Fills in a network's subnets: those that are asked for, or free ones.
   * @param skip families whose gateway needs no address
   * @throws PermissionDenied for one that is taken, or when none is left
   */
  async assign(record: NetworkRecord, skip: Record<Family, boolean>): Promise<void> {
    if (record.ipam.Driver === noIpam) {
      record.ipam = { ...record.ipam, Config: noIpamConfig(record) };
      return;
    }
    const configs = record.ipam.Config ?? [];
    const ofFamily = (family: Family) => configs.filter(({ Subnet }) => mustPrefix(Subnet ?? "").family === family);
    // First what was asked for, then what is chosen: so inspect shows them.
    const shown: IPAMConfig[] = [...ofFamily(4), ...ofFamily(6)];
    for (const family of [4, 6] as const) {
      const mine = ofFamily(family);
      if (!(family === 4 ? record.enableIPv4 : record.enableIPv6)) continue;
      for (const config of mine) {
        this.#refuseOverlap(mustPrefix(config.Subnet ?? ""), record);
        record.subnets.push(subnetOf(config, !skip[family]));
      }
      if (mine.length > 0) continue;
      const pools = record.scope === "global" && family === 4 ? [globalPool] : this.#pools[family];
      const subnet = formatPrefix(chooseSubnet(pools, await this.taken(family)));
      const chosen = subnetOf({ Subnet: subnet }, !skip[family]);
      shown.push({ Subnet: subnet, ...(chosen.gateway === "" ? {} : { Gateway: chosen.gateway }) });
      record.subnets.push(chosen);
    }
    refuseMoreSubnets(record);
    record.ipam = { ...record.ipam, Config: shown.length > 0 ? shown : null };
  }

  #refuseOverlap(prefix: Prefix, record: NetworkRecord): void {
    // What a plugin gives out is its own affair.
    const others = this.#networks().filter(({ id, pools }) => id !== record.id && pools === undefined);
    for (const { subnets } of [...others, record]) {
      if (subnets.some(({ subnet }) => overlaps(mustPrefix(subnet), prefix))) {
        throw new PermissionDenied("invalid pool request: Pool overlaps with other one on this address space");
      }
    }
  }

  /** Whether such a block is cut from the pools. */
  has(subnet: Prefix): boolean {
    return this.#pools[subnet.family].some(({ base, size }) => size === subnet.bits && overlaps(base, subnet));
  }

  /** The first of the pools that is free; for the default bridge. */
  async free(family: Family, own: string): Promise<Prefix> {
    return chooseSubnet(this.#pools[family], await this.taken(family, own));
  }
}
