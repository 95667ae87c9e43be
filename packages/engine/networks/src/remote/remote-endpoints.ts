import { isKind, Unknown } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";
import { macOf } from "../endpoint/attach.ts";
import { randomMac } from "../bridge/bridge.ts";
import { chooseIfname } from "../bridge/ifname.ts";
import { mustPrefix } from "../ipam/defaults.ts";
import { contains, type Family, formatAddress, parseAddress } from "@longshore/ip";
import type { EndpointRecord, NetworkRecord, Records, SandboxRecord } from "../records/records.ts";
import { bitsOf } from "../bridge/subnets.ts";
import type { PluginReleases } from "./plugin-releases.ts";
import type { NetworkPlugins } from "./drivers.ts";
import { readJoin, withDriversChoice } from "./join-answer.ts";
import { portOptions } from "./port-options.ts";
import { handBack, takeIn } from "./remote-link.ts";
import { asRefusal } from "./refusal.ts";
import { hasPluginDriver } from "./remote-networks.ts";

const macOption = "com.docker.network.endpoint.macaddress";
const sixToFour = "com.docker.network.driver.private.no_proxy_6to4";

interface Parts {
  records: Records;
  plugins: NetworkPlugins;
  releases: PluginReleases;
  log: Logger;
}

/** Containers' places in networks whose driver or addresses are a plugin's. Each step is on the disk, with its way back, before the next. */
export class RemoteEndpoints {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Has the network's IPAM plugin give an endpoint its addresses. @throws with the plugin's words */
  async requestAddresses(network: NetworkRecord, endpoint: EndpointRecord): Promise<EndpointRecord> {
    const { records, plugins, releases } = this.#parts;
    if (network.pools === undefined) return endpoint;
    await releases.settleWith(network.ipam.Driver);
    const ipam = await plugins.ipam(network.ipam.Driver, true).catch((error: unknown) => {
      throw asRefusal(error);
    });
    let next: EndpointRecord = { ...endpoint, bits: { 4: 0, 6: 0 } };
    if (ipam.needsMac && next.mac === "") next.mac = randomMac();
    for (const family of [4, 6] as const) {
      const wish =
        (family === 4 ? endpoint.settings.IPAMConfig?.IPv4Address : endpoint.settings.IPAMConfig?.IPv6Address) ?? "";
      const pool = poolFor(network, family, wish);
      if (pool === undefined) continue;
      const given = await ipam
        .requestAddress(pool, wish, ipam.needsMac ? { [macOption]: next.mac } : null)
        .catch((error: unknown) => {
          throw asRefusal(error);
        });
      const prefix = mustPrefix(given);
      const address = formatAddress(prefix);
      const bits = { 4: next.bits?.[4] ?? 0, 6: next.bits?.[6] ?? 0, [family]: prefix.bits };
      next = { ...next, bits, [family === 4 ? "ipv4" : "ipv6"]: address };
      records.atomically(() => {
        releases.plan(endpoint.id, ipam.name, "IpamDriver.ReleaseAddress", { PoolID: pool, Address: address });
        records.putEndpoint(next);
      });
    }
    if (network.driver === "bridge" && next.mac === "") next.mac = next.ipv4 === "" ? randomMac() : macOf(next.ipv4);
    else if (network.driver === "macvlan" && next.mac === "") next.mac = randomMac();
    records.putEndpoint(next);
    return next;
  }

  /**
   * Has the network's driver make an endpoint, and takes its link into the container's namespace, which must be there.
   * @param withPorts whether the driver hears of the container's ports at once
   * @throws with the plugin's words; what was begun is given back with the endpoint
   */
  async join(
    sandbox: SandboxRecord,
    network: NetworkRecord,
    planned: EndpointRecord,
    withPorts: boolean,
  ): Promise<void> {
    if (!hasPluginDriver(network)) return;
    const { records, plugins, releases } = this.#parts;
    await releases.settleWith(network.driver);
    const driver = await plugins.driver(network.driver, true).catch((error: unknown) => {
      throw asRefusal(error);
    });
    const ids = { NetworkID: network.id, EndpointID: planned.id };
    const ports = portOptions(sandbox.portRequest);
    const bits = planned.bits ?? { 4: bitsOf(network, planned.ipv4), 6: bitsOf(network, planned.ipv6) };
    let endpoint: EndpointRecord = { ...planned, bits };
    const failed = `failed to create endpoint ${sandbox.containerName} on network ${network.name}: `;
    releases.plan(endpoint.id, driver.name, "NetworkDriver.DeleteEndpoint", ids);
    const chosen = await driver
      .createEndpoint({
        ...ids,
        Interface: interfaceOf(endpoint),
        Options: createOptions(endpoint, withPorts ? ports : {}),
      })
      .catch((error: unknown) => {
        if (isKind(error, "Unknown")) releases.cancel(endpoint.id, "NetworkDriver.DeleteEndpoint");
        throw asRefusal(error, failed);
      });
    endpoint = undoing(() => withDriversChoice(endpoint, chosen), failed);
    records.putEndpoint(endpoint);
    releases.plan(endpoint.id, driver.name, "NetworkDriver.Leave", ids);
    const answer = await driver
      .join({ ...ids, SandboxKey: sandbox.netnsPath, Options: ports })
      .catch((error: unknown) => {
        if (isKind(error, "Unknown")) releases.cancel(endpoint.id, "NetworkDriver.Leave");
        throw asRefusal(error);
      });
    const remote = undoing(() => readJoin(answer), "");
    const used = new Set(records.endpointsOf(sandbox.containerId).map(({ ifname }) => ifname));
    const ifname =
      remote.source === "" ? "" : chooseIfname(undefined, answer.InterfaceName?.DstPrefix ?? "", used, remote.source);
    endpoint = { ...endpoint, remote, ifname };
    records.putEndpoint(endpoint);
    if (ifname !== "") await takeIn(endpoint, sandbox.netnsPath);
  }

  /** The endpoint has the container's default route. @param otherSix whether another one has that of IPv6; @throws Unknown `driver failed programming external connectivity on endpoint …` */
  async programExternal(
    sandbox: SandboxRecord,
    network: NetworkRecord,
    { id }: EndpointRecord,
    otherSix: boolean,
  ): Promise<void> {
    const { plugins, releases } = this.#parts;
    const ids = { NetworkID: network.id, EndpointID: id };
    if (releases.owes(id, "NetworkDriver.RevokeExternalConnectivity")) return;
    try {
      const driver = await plugins.driver(network.driver, true);
      releases.plan(id, driver.name, "NetworkDriver.RevokeExternalConnectivity", ids);
      await driver.programExternal({ ...ids, Options: { ...portOptions(sandbox.portRequest), [sixToFour]: otherSix } });
    } catch (error) {
      if (isKind(error, "Unknown")) releases.cancel(id, "NetworkDriver.RevokeExternalConnectivity");
      throw asRefusal(
        error,
        `driver failed programming external connectivity on endpoint ${sandbox.containerName} (${id}): `,
      );
    }
  }

  /** It has it no longer. */
  revokeExternal({ id }: EndpointRecord): Promise<void> {
    return this.#parts.releases.settle(id, "NetworkDriver.RevokeExternalConnectivity");
  }

  /** Asks the driver what it knows of an endpoint, as dockerd does after each change; what it says changes nothing. */
  async look(network: NetworkRecord, { id }: EndpointRecord): Promise<void> {
    const { plugins, log } = this.#parts;
    if (!hasPluginDriver(network)) return;
    try {
      await (await plugins.driver(network.driver)).endpointInfo(network.id, id);
    } catch (error) {
      log.debug({ err: error, network: network.name }, "a network driver knows nothing of an endpoint");
    }
  }

  /**
   * Takes an endpoint away from its driver, as far as it got there; its record may go then.
   * @param patient false: what plugins have to hear they hear some time after the record is gone
   */
  async leave(endpoint: EndpointRecord, netnsPath: string, patient = true): Promise<void> {
    const { releases } = this.#parts;
    if (!patient) return handBack(endpoint, netnsPath);
    await releases.settle(endpoint.id, "NetworkDriver.Leave");
    await handBack(endpoint, netnsPath);
    await releases.settle(endpoint.id);
  }
}

function poolFor({ pools = [] }: NetworkRecord, family: Family, wish: string): string | undefined {
  const mine = pools.filter((pool) => pool.family === family);
  const wanted = wish === "" ? undefined : parseAddress(wish);
  return (wanted ? mine.find(({ pool }) => contains(mustPrefix(pool), wanted)) : mine[0])?.id;
}

function interfaceOf({ ipv4, ipv6, mac, bits }: EndpointRecord): {
  Address: string;
  AddressIPv6: string;
  MacAddress: string;
} {
  const withBits = (address: string, family: Family): string =>
    address === "" ? "" : `${address}/${bits?.[family] ?? 0}`;
  return { Address: withBits(ipv4, 4), AddressIPv6: withBits(ipv6, 6), MacAddress: mac };
}

/** What a user gave for the endpoint, with the hardware address in bytes. */
function createOptions({ settings }: EndpointRecord, ports: object): object {
  const mac = settings.MacAddress ?? "";
  const bytes = mac === "" ? {} : { [macOption]: Buffer.from(mac.replaceAll(/[:-]/g, ""), "hex").toString("base64") };
  return { ...ports, ...bytes, ...settings.DriverOpts };
}

/** The driver's answer cannot be: it hears so. */
function undoing<T>(read: () => T, prefix: string): T {
  try {
    return read();
  } catch (error) {
    throw new Unknown(`${asRefusal(error, prefix).message}; rolled back`, { cause: error });
  }
}
