import type { IPAMConfig } from "@longshore/docker-api";
import { isKind, PermissionDenied, Unknown } from "@longshore/errdefs";
import { hostRoutes } from "../bridge/bridge.ts";
import { mustPrefix } from "../ipam/defaults.ts";
import { contains, type Family, formatPrefix, masked, overlaps, parseAddress, parsePrefix } from "@longshore/ip";
import type { EndpointRecord, NetworkRecord, PoolRecord } from "../records/records.ts";
import type { PluginReleases } from "./plugin-releases.ts";
import { asRefusal } from "./refusal.ts";
import type { IPAMData, IpamDriver, NetworkDriver, NetworkPlugins } from "./drivers.ts";

/** The network drivers that the engine has itself. */
export const builtInDrivers: readonly string[] = ["bridge", "host", "ipvlan", "macvlan", "null"];
/** The driver of addresses that gives none; for network drivers that do it themselves. */
export const noIpam = "null";
/** How many pools an IPAM driver may offer that lie on the host's own networks. */
const poolAttempts = 32;
const gatewayRequest = { RequestAddressType: "com.docker.network.gateway" };
const anywhere: Record<Family, string> = { 4: "0.0.0.0/0", 6: "::/0" };

/** Whether a network's driver is a plugin. */
export function hasPluginDriver({ driver }: Pick<NetworkRecord, "driver">): boolean {
  return !builtInDrivers.includes(driver);
}

/** Whether a network's addresses come from a plugin. */
export function hasPluginIpam({ ipam }: Pick<NetworkRecord, "ipam">): boolean {
  return !["", "default", noIpam].includes(ipam.Driver);
}

/** An endpoint's addresses that are out of a pool. */
function addressesIn({ pool }: PoolRecord, { ipv4, ipv6 }: EndpointRecord): string[] {
  return [ipv4, ipv6].filter((address) => {
    const parsed = parseAddress(address);
    return parsed !== undefined && contains(mustPrefix(pool), parsed);
  });
}

function plain(cidr: string): string {
  return cidr.split("/")[0] ?? "";
}

/** The options of a network as its driver gets them. */
function driverOptions(record: NetworkRecord): Record<string, unknown> {
  return {
    "com.docker.network.enable_ipv4": record.enableIPv4,
    "com.docker.network.enable_ipv6": record.enableIPv6,
    "com.docker.network.generic": record.options,
    ...(record.internal || record.configFrom !== "" ? { "com.docker.network.internal": record.internal } : {}),
  };
}

/** Networks as plugins know them: their blocks of addresses, and the networks themselves. */
export class RemoteNetworks {
  readonly #plugins: NetworkPlugins;
  readonly #releases: PluginReleases;

  constructor(plugins: NetworkPlugins, releases: PluginReleases) {
    this.#plugins = plugins;
    this.#releases = releases;
  }

  /**
   * Finds out what a network's plugins can do, and fills in its scope.
   * @returns families that need no gateway
   * @throws NotFound `plugin "x" not found`, PermissionDenied for a scope that the driver cannot keep to
   */
  async prepare(record: NetworkRecord): Promise<Record<Family, boolean>> {
    if (hasPluginIpam(record)) await this.#ipam(record);
    if (!hasPluginDriver(record)) return { 4: false, 6: false };
    const driver = await this.#driver(record);
    if (record.scope === "") record.scope = driver.scope;
    else if (driver.scope === "global" && record.scope !== "global")
      throw new PermissionDenied(`cannot downgrade network scope for ${record.driver} networks`);
    return driver.skipsGateway(driverOptions(record)).catch((error: unknown) => {
      throw asRefusal(error);
    });
  }

  #driver({ driver }: NetworkRecord): Promise<NetworkDriver> {
    return this.#plugins.driver(driver).catch((error: unknown) => {
      throw asRefusal(error);
    });
  }

  #ipam({ ipam }: NetworkRecord): Promise<IpamDriver> {
    return this.#plugins.ipam(ipam.Driver).catch((error: unknown) => {
      throw asRefusal(error);
    });
  }

  /**
   * Has the IPAM plugin give a network its blocks, gateways and auxiliary addresses.
   * What it gives is owed to it in the network's name. @throws with the plugin's words
   */
  async requestPools(record: NetworkRecord, skip: Record<Family, boolean>): Promise<void> {
    await this.#releases.settleWith(record.ipam.Driver);
    const ipam = await this.#ipam(record);
    const configs = record.ipam.Config ?? [];
    const shown: IPAMConfig[] = [];
    const pools: PoolRecord[] = [];
    await addressSpace(ipam, record);
    for (const family of [4, 6] as const) {
      const mine = configs.filter(({ Subnet }) => mustPrefix(Subnet ?? "").family === family);
      shown.push(...mine);
      if (!(family === 4 ? record.enableIPv4 : record.enableIPv6)) continue;
      const space = await addressSpace(ipam, record);
      for (const config of mine.length > 0 ? mine : [{}]) {
        const pool = await this.#requestPool(record, ipam, { family, space, config, needsGateway: !skip[family] });
        pools.push(pool);
        if (mine.length === 0)
          shown.push({ Subnet: pool.pool, ...(pool.gateway === "" ? {} : { Gateway: plain(pool.gateway) }) });
      }
    }
    record.pools = pools;
    record.subnets = pools.map(({ pool, wanted, gateway, auxiliary }) => ({
      subnet: pool,
      range: wanted.subPool === "" ? pool : formatPrefix(masked(mustPrefix(wanted.subPool))),
      gateway: plain(gateway),
      auxiliary: Object.values(auxiliary).map(plain),
    }));
    record.ipam = { ...record.ipam, Config: shown };
  }

  async #requestPool(
    record: NetworkRecord,
    ipam: IpamDriver,
    wish: { family: Family; space: string; config: IPAMConfig; needsGateway: boolean },
  ): Promise<PoolRecord> {
    const { family, space, config, needsGateway } = wish;
    const wanted = { pool: config.Subnet ?? "", subPool: config.IPRange ?? "" };
    const owe = (method: "ReleasePool" | "ReleaseAddress", body: object): void =>
      this.#releases.plan(record.id, ipam.name, `IpamDriver.${method}`, body);
    const ask = async (): Promise<Awaited<ReturnType<IpamDriver["requestPool"]>>> => {
      const answer = await ipam
        .requestPool({
          AddressSpace: space,
          Pool: wanted.pool,
          SubPool: wanted.subPool,
          Options: record.ipam.Options ?? {},
          V6: family === 6,
        })
        .catch((error: unknown) => {
          throw asRefusal(error);
        });
      owe("ReleasePool", { PoolID: answer.id });
      return answer;
    };
    const { id, pool, gateway: given } = wanted.pool === "" ? await this.#besideHost(record, family, ask) : await ask();
    const take = async (address: string, options: Record<string, string> | null, what: string): Promise<string> => {
      const taken = await ipam.requestAddress(id, address, options).catch((error: unknown) => {
        throw asRefusal(error, `failed to allocate ${what}: `);
      });
      owe("ReleaseAddress", { PoolID: id, Address: plain(taken) });
      return taken;
    };
    let gateway = given ?? "";
    if (gateway !== "") {
      if (!parsePrefix(gateway))
        throw new Unknown(
          `failed to parse gateway address (${gateway}) returned by ipam driver: invalid CIDR address: ${gateway}`,
        );
      owe("ReleaseAddress", { PoolID: id, Address: plain(gateway) });
    }
    const wish4 = config.Gateway ?? "";
    if (wish4 !== "" || (needsGateway && gateway === ""))
      gateway = await take(wish4, gatewayRequest, `gateway (${wish4})`);
    const auxiliary: Record<string, string> = {};
    for (const [name, address] of Object.entries(config.AuxiliaryAddresses ?? {}))
      auxiliary[name] = await take(address, null, `secondary ip address (${name}:${address})`);
    return { id, family, addressSpace: space, pool, wanted, gateway, auxiliary };
  }

  /** A pool that the plugin chooses is not to lie on the host's own networks: it is asked on until one does not, and gets the others back. */
  async #besideHost<T extends { id: string; pool: string }>(
    record: NetworkRecord,
    family: Family,
    ask: () => Promise<T>,
  ): Promise<T> {
    const taken = await hostRoutes(family, new Set());
    const refused: string[] = [];
    for (;;) {
      const answer = await ask();
      if (!taken.some((route) => overlaps(route, mustPrefix(answer.pool)))) {
        for (const id of refused) await this.#releases.settleOne(record.id, "IpamDriver.ReleasePool", { PoolID: id });
        return answer;
      }
      refused.push(answer.id);
      // dockerd never gives up.
      if (refused.length >= poolAttempts)
        throw new PermissionDenied(
          `the pools of IPAM driver ${record.ipam.Driver} overlap with the host's networks, such as ${answer.pool}`,
        );
    }
  }

  /**
   * Asks an IPAM plugin that forgets for all that a network has, once more.
   * @param owner who owes the pools until the network has them; @returns undefined when the plugin does not forget
   */
  async replay(
    record: NetworkRecord,
    endpoints: readonly EndpointRecord[],
    owner: string,
  ): Promise<PoolRecord[] | undefined> {
    const ipam = await this.#plugins.ipam(record.ipam.Driver, true);
    if (!ipam.replays) return undefined;
    const pools: PoolRecord[] = [];
    for (const pool of record.pools ?? []) {
      const space = await addressSpace(ipam, record);
      const found = await ipam.requestPool({
        AddressSpace: space,
        Pool: pool.pool,
        SubPool: pool.wanted.subPool,
        Options: record.ipam.Options ?? {},
        V6: pool.family === 6,
      });
      if (found.id !== pool.id) this.#releases.plan(owner, ipam.name, "IpamDriver.ReleasePool", { PoolID: found.id });
      if (pool.gateway !== "") await ipam.requestAddress(found.id, plain(pool.gateway), gatewayRequest);
      for (const address of Object.values(pool.auxiliary)) await ipam.requestAddress(found.id, plain(address), null);
      for (const address of endpoints.flatMap((endpoint) => addressesIn(pool, endpoint)))
        await ipam.requestAddress(found.id, address, null);
      pools.push({ ...pool, id: found.id, addressSpace: space });
    }
    return pools;
  }

  /** What a network and its endpoints owe to their IPAM plugin, whatever it was before. */
  oweAnew(record: NetworkRecord, endpoints: readonly EndpointRecord[]): void {
    const owe = (owner: string, method: "ReleasePool" | "ReleaseAddress", body: object): void =>
      this.#releases.plan(owner, record.ipam.Driver, `IpamDriver.${method}`, body);
    for (const { id } of [record, ...endpoints])
      for (const method of ["IpamDriver.ReleasePool", "IpamDriver.ReleaseAddress"] as const)
        this.#releases.cancel(id, method);
    for (const pool of record.pools ?? []) {
      const { id: PoolID, gateway, auxiliary } = pool;
      owe(record.id, "ReleasePool", { PoolID });
      for (const address of [gateway, ...Object.values(auxiliary)])
        if (address !== "") owe(record.id, "ReleaseAddress", { PoolID, Address: plain(address) });
      for (const endpoint of endpoints)
        for (const Address of addressesIn(pool, endpoint)) owe(endpoint.id, "ReleaseAddress", { PoolID, Address });
    }
  }

  /** Has the network's driver make it. @throws with the plugin's words */
  async create(record: NetworkRecord): Promise<void> {
    await this.#releases.settleWith(record.driver);
    const driver = await this.#driver(record);
    this.#releases.plan(record.id, record.driver, "NetworkDriver.DeleteNetwork", { NetworkID: record.id });
    try {
      await driver.createNetwork({
        NetworkID: record.id,
        Options: driverOptions(record),
        IPv4Data: ipamData(record, 4),
        IPv6Data: ipamData(record, 6),
      });
    } catch (error) {
      // Who has not answered may have made it.
      if (isKind(error, "Unknown")) this.#releases.cancel(record.id, "NetworkDriver.DeleteNetwork");
      throw asRefusal(error);
    }
  }
}

async function addressSpace(ipam: IpamDriver, { scope }: NetworkRecord): Promise<string> {
  return ipam.addressSpace(scope).catch((error: unknown) => {
    throw asRefusal(error, "failed to get default address space: ");
  });
}

function ipamData(record: NetworkRecord, family: Family): IPAMData[] {
  if (!(family === 4 ? record.enableIPv4 : record.enableIPv6)) return [];
  if (record.ipam.Driver === noIpam) return [{ AddressSpace: noIpam, Pool: anywhere[family] }];
  if (record.pools) {
    return record.pools
      .filter((pool) => pool.family === family)
      .map(({ addressSpace: AddressSpace, pool, gateway, auxiliary }) => ({
        AddressSpace,
        Pool: pool,
        ...(gateway === "" ? {} : { Gateway: gateway }),
        ...(Object.keys(auxiliary).length === 0 ? {} : { AuxAddresses: auxiliary }),
      }));
  }
  const names = new Map((record.ipam.Config ?? []).map((config) => [config.Subnet, config.AuxiliaryAddresses ?? {}]));
  return record.subnets
    .map((subnet) => ({ ...subnet, prefix: mustPrefix(subnet.subnet) }))
    .filter(({ prefix }) => prefix.family === family)
    .map(({ subnet, gateway, prefix }) => {
      const auxiliary = Object.entries(names.get(subnet) ?? {}).map(([name, address]) => [
        name,
        `${address}/${prefix.bits}`,
      ]);
      return {
        AddressSpace: record.scope === "global" ? "GlobalDefault" : "LocalDefault",
        Pool: subnet,
        ...(gateway === "" ? {} : { Gateway: `${gateway}/${prefix.bits}` }),
        ...(auxiliary.length === 0 ? {} : { AuxAddresses: Object.fromEntries(auxiliary) as Record<string, string> }),
      };
    });
}

/** What a network without addresses of the engine's shows as its blocks. */
export function noIpamConfig({ enableIPv4, enableIPv6 }: NetworkRecord): IPAMConfig[] {
  return [...(enableIPv4 ? [{ Subnet: anywhere[4] }] : []), ...(enableIPv6 ? [{ Subnet: anywhere[6] }] : [])];
}
