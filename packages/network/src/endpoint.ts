import { randomBytes } from "node:crypto";
import type { EndpointSettings } from "@longshore/api";
import { PermissionDenied } from "@longshore/errdefs";
import { parseBridgeOptions } from "./bridge-options.ts";
import { randomMac } from "./bridge.ts";
import { isUserDefined } from "./endpoint-settings.ts";
import { mustPrefix } from "./ipam/defaults.ts";
import { chooseAddress } from "./ipam/pool.ts";
import { type Family, formatAddress, parseAddress } from "./ipam/prefix.ts";
import { newId } from "./networks.ts";
import type { EndpointRecord, NetworkRecord, Records, SandboxRecord } from "./records.ts";
import { macOf, type VethPlan } from "./veth.ts";

function subnetOfFamily(network: NetworkRecord, family: Family): NetworkRecord["subnets"][number] | undefined {
  return network.subnets.find(({ subnet }) => mustPrefix(subnet).family === family);
}

function bitsOf(network: NetworkRecord, family: Family): number {
  const found = subnetOfFamily(network, family);
  return found ? mustPrefix(found.subnet).bits : 0;
}

/** @throws PermissionDenied `Address already in use`, or when the network is full */
function assignAddress(records: Records, network: NetworkRecord, family: Family, wish: string | undefined): string {
  const found = subnetOfFamily(network, family);
  if (!found) return "";
  const taken = records.endpointsIn(network.id).map((endpoint) => (family === 4 ? endpoint.ipv4 : endpoint.ipv6));
  // Nobody has the gateway's address where there is no gateway.
  const gateway = parseBridgeOptions(network).gatewayMode[family] === "isolated" ? [] : [found.gateway];
  const used = [...taken, ...gateway, ...found.auxiliary].flatMap((address) => parseAddress(address)?.value ?? []);
  const subnet = { prefix: mustPrefix(found.subnet), range: mustPrefix(found.range) };
  const wanted = wish === undefined || wish === "" ? undefined : parseAddress(wish);
  return formatAddress(chooseAddress(subnet, new Set(used), `${network.name} (${network.id})`, wanted));
}

/** The first `ethN` that the container does not have yet. */
function freeIfname(records: Records, containerId: string): string {
  const used = new Set(records.endpointsOf(containerId).map(({ ifname }) => ifname));
  for (let i = 0; ; i++) if (!used.has(`eth${i}`)) return `eth${i}`;
}

/**
 * Plans a container's place in a network and notes it, so that its addresses are taken.
 * @throws PermissionDenied `endpoint with name c already exists in network n`, and what addresses give
 */
export function createEndpoint(records: Records, sandbox: Pick<SandboxRecord, "containerId" | "containerName">, network: NetworkRecord, settings: Partial<EndpointSettings>): EndpointRecord {
  if (records.endpointsOf(sandbox.containerId).some(({ networkId }) => networkId === network.id)) {
    throw new PermissionDenied(`endpoint with name ${sandbox.containerName} already exists in network ${network.name}`);
  }
  const linked = network.driver === "bridge";
  const ipv4 = assignAddress(records, network, 4, settings.IPAMConfig?.IPv4Address);
  const ipv6 = assignAddress(records, network, 6, settings.IPAMConfig?.IPv6Address);
  const wishedMac = (settings.MacAddress ?? "").replaceAll("-", ":").toLowerCase();
  const mac = wishedMac !== "" ? wishedMac : ipv4 === "" ? randomMac() : macOf(ipv4);
  const endpoint: EndpointRecord = {
    id: newId(),
    networkId: network.id,
    containerId: sandbox.containerId,
    ifname: linked ? freeIfname(records, sandbox.containerId) : "",
    veth: linked ? `veth${randomBytes(4).toString("hex").slice(1)}` : "",
    mac: linked ? mac : "",
    ipv4,
    ipv6,
    settings,
  };
  records.putEndpoint(endpoint);
  return endpoint;
}

/** What the kernel needs to know of a bridge endpoint. */
export function vethPlan(network: NetworkRecord, endpoint: EndpointRecord): VethPlan {
  const { mtu, icc } = parseBridgeOptions(network);
  return { endpoint, bridge: network.bridge, mtu, icc, bits: { 4: bitsOf(network, 4), 6: bitsOf(network, 6) } };
}

/** The address that leads out of a network; empty for internal ones. */
export function gatewayOf(network: NetworkRecord, family: Family): string {
  return network.internal ? "" : (subnetOfFamily(network, family)?.gateway ?? "");
}

/** The endpoint that has the default route and the published ports: highest priority, then the first by name. */
export function gatewayEndpoint(records: Records, containerId: string): EndpointRecord | undefined {
  const candidates = records.endpointsOf(containerId).flatMap((endpoint) => {
    const network = records.networks.get(endpoint.networkId);
    return network && network.bridge !== "" && !network.internal ? [{ endpoint, name: network.name, priority: endpoint.settings.GwPriority ?? 0 }] : [];
  });
  candidates.sort((a, b) => b.priority - a.priority || (a.name < b.name ? -1 : 1));
  return candidates[0]?.endpoint;
}

/** The names by which others in a user-defined network find a container. */
export function dnsNames(sandbox: Pick<SandboxRecord, "containerId" | "containerName" | "hostname">, aliases: readonly string[]): string[] {
  const short = sandbox.containerId.slice(0, 12);
  return [...new Set([sandbox.containerName, ...aliases, short, sandbox.hostname])].filter((name) => name !== "");
}

/** As `NetworkSettings.Networks` shows an endpoint. */
export function showEndpoint(network: NetworkRecord, endpoint: EndpointRecord, sandbox: SandboxRecord): EndpointSettings {
  const { settings, ipv4, ipv6 } = endpoint;
  return {
    IPAMConfig: settings.IPAMConfig ?? null,
    Links: settings.Links ?? null,
    Aliases: settings.Aliases ?? null,
    MacAddress: endpoint.mac,
    DriverOpts: settings.DriverOpts ?? null,
    GwPriority: settings.GwPriority ?? 0,
    NetworkID: network.id,
    EndpointID: endpoint.id,
    Gateway: ipv4 === "" ? "" : gatewayOf(network, 4),
    IPAddress: ipv4,
    IPPrefixLen: ipv4 === "" ? 0 : bitsOf(network, 4),
    IPv6Gateway: ipv6 === "" ? "" : gatewayOf(network, 6),
    GlobalIPv6Address: ipv6,
    GlobalIPv6PrefixLen: ipv6 === "" ? 0 : bitsOf(network, 6),
    DNSNames: isUserDefined(network) ? dnsNames(sandbox, settings.Aliases ?? []) : null,
  };
}
