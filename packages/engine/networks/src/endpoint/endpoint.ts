import { randomBytes } from "node:crypto";
import type { EndpointSettings } from "@longshore/docker-api";
import { PermissionDenied, Unknown } from "@longshore/errdefs";
import { type LinkPlan, macOf } from "./attach.ts";
import { label, parseBridgeOptions } from "../bridge/bridge-options.ts";
import { randomMac } from "../bridge/bridge.ts";
import { dnsNames } from "./dns-names.ts";
import { isUserDefined } from "./endpoint-settings.ts";
import { chooseIfname } from "../bridge/ifname.ts";
import { mustPrefix } from "../ipam/defaults.ts";
import { chooseAddress } from "../ipam/pool.ts";
import { contains, type Family, familyOf, formatAddress, parseAddress } from "@longshore/ip";
import type { SubnetRecord } from "../ipam/subnet.ts";
import { linkLocalAddresses } from "../bridge/link-local.ts";
import { newId } from "../records/new-id.ts";
import type { EndpointRecord, NetworkRecord, Records, SandboxRecord } from "../records/records.ts";
import { hasPluginDriver } from "../remote/remote-networks.ts";
import { gatewayFor, lengthOf, subnetsOf } from "../bridge/subnets.ts";
import { parseVlanOptions } from "../parent/vlan-options.ts";

/** @throws PermissionDenied `Address already in use`, or when the network is full */
function assignAddress(records: Records, network: NetworkRecord, family: Family, wish: string | undefined): string {
  const subnets = subnetsOf(network, family);
  // What a plugin keeps is asked of it later.
  if (subnets.length === 0 || network.pools !== undefined) return "";
  const taken = records.endpointsIn(network.id).map((endpoint) => (family === 4 ? endpoint.ipv4 : endpoint.ipv6));
  const wanted = wish === undefined || wish === "" ? undefined : parseAddress(wish);
  const candidates = wanted ? subnets.filter(({ subnet }) => contains(mustPrefix(subnet), wanted)) : subnets;
  // Nobody has the gateway's address where there is no gateway.
  const reserved =
    network.bridge !== "" && parseBridgeOptions(network).gatewayMode[family] === "isolated"
      ? () => []
      : ({ gateway }: SubnetRecord) => [gateway];
  const choose = (found: SubnetRecord): string => {
    const used = [...taken, ...reserved(found), ...found.auxiliary].flatMap(
      (address) => parseAddress(address)?.value ?? [],
    );
    const subnet = { prefix: mustPrefix(found.subnet), range: mustPrefix(found.range) };
    return formatAddress(chooseAddress(subnet, new Set(used), `${network.name} (${network.id})`, wanted));
  };
  const [first = subnets[0]!, ...more] = candidates;
  try {
    return choose(first);
  } catch (error) {
    for (const found of more) {
      try {
        return choose(found);
      } catch {
        // The next subnet may have one left; the first one's error tells of all.
      }
    }
    throw error;
  }
}

/** @returns empty where a plugin comes first; @throws Unknown when the driver has no addresses of its own */
function chooseMac(
  { containerName }: Pick<SandboxRecord, "containerName">,
  { driver, name, pools }: NetworkRecord,
  wish: string,
  ipv4: string,
): string {
  if (driver === "ipvlan") {
    if (wish === "") return "";
    throw new Unknown(
      `failed to create endpoint ${containerName} on network ${name}: ipvlan interfaces do not support custom mac address assignment`,
    );
  }
  if (wish !== "") return wish.replaceAll("-", ":").toLowerCase();
  if (pools !== undefined || hasPluginDriver({ driver })) return "";
  return driver === "bridge" && ipv4 !== "" ? macOf(ipv4) : randomMac();
}

/**
 * Plans a container's place in a network and notes it, so that its addresses are taken.
 * @param service whether it is a way out that nobody asked for
 * @throws PermissionDenied `endpoint with name c already exists in network n`, and what addresses give
 */
export function createEndpoint(
  records: Records,
  sandbox: Pick<SandboxRecord, "containerId" | "containerName" | "noIPv6">,
  network: NetworkRecord,
  settings: Partial<EndpointSettings>,
  service = false,
): EndpointRecord {
  if (
    records.endpointsOf(sandbox.containerId).some(({ networkId, service: own }) => networkId === network.id && !own)
  ) {
    throw new PermissionDenied(`endpoint with name ${sandbox.containerName} already exists in network ${network.name}`);
  }
  if (network.configOnly) throw new PermissionDenied("cannot create endpoint on configuration-only network");
  const ipv4 = assignAddress(records, network, 4, settings.IPAMConfig?.IPv4Address);
  const ipv6 = sandbox.noIPv6 === true ? "" : assignAddress(records, network, 6, settings.IPAMConfig?.IPv6Address);
  linkLocalAddresses(settings);
  const linked = network.bridge !== "" || network.parent !== undefined;
  const link = `veth${randomBytes(4).toString("hex").slice(1)}`;
  const used = new Set(records.endpointsOf(sandbox.containerId).map(({ ifname }) => ifname));
  const endpoint: EndpointRecord = {
    id: newId(),
    networkId: network.id,
    containerId: sandbox.containerId,
    ifname: linked ? chooseIfname(settings.DriverOpts, network.options[label.ifacePrefix] || "eth", used, link) : "",
    veth: network.bridge === "" ? "" : link,
    mac: linked || hasPluginDriver(network) ? chooseMac(sandbox, network, settings.MacAddress ?? "", ipv4) : "",
    ipv4,
    ipv6,
    settings,
    ...(service ? { service } : {}),
  };
  records.putEndpoint(endpoint);
  return endpoint;
}

/** What the kernel needs to know of an endpoint (with `hairpin` where no proxy answers those who ask for themselves); undefined for one without a link of ours. */
export function linkPlan(network: NetworkRecord, endpoint: EndpointRecord, hairpin: boolean): LinkPlan | undefined {
  if (endpoint.ifname === "" || endpoint.remote) return undefined;
  const addresses = ([4, 6] as const)
    .map((family) => ({
      address: family === 4 ? endpoint.ipv4 : endpoint.ipv6,
      bits: lengthOf(network, endpoint, family),
    }))
    .filter(({ address }) => address !== "");
  const linkLocal = linkLocalAddresses(endpoint.settings).filter(
    ({ address }) => familyOf(address) === 4 || endpoint.ipv6 !== "",
  );
  const common = { endpoint, addresses: [...addresses, ...linkLocal] };
  const vlan = parseVlanOptions(network);
  if (vlan && network.parent) return { ...common, vlan, parent: network.parent.device };
  const { mtu, icc } = parseBridgeOptions(network);
  return { ...common, bridge: network.bridge, mtu, icc, hairpin };
}

/** Whether packets of a family can leave by an endpoint: by a plugin's only if its driver has named a way. */
function leads({ remote, ipv4, ipv6 }: EndpointRecord, family: Family): boolean {
  if (!remote) return (family === 4 ? ipv4 : ipv6) !== "";
  return (
    remote.gateways[family] !== "" ||
    remote.routes.some(({ destination }) => destination === (family === 4 ? "0.0.0.0/0" : "::/0"))
  );
}

function leadsOut(network: NetworkRecord, endpoint: EndpointRecord): boolean {
  if (endpoint.ifname === "" || network.internal) return false;
  return !endpoint.remote || leads(endpoint, 4) || leads(endpoint, 6);
}

/** The endpoints that may lead out of a container, the first choice first. One that nobody asked for is the last. */
function gatewayCandidates(
  records: Records,
  containerId: string,
): { endpoint: EndpointRecord; network: NetworkRecord }[] {
  const candidates = records.endpointsOf(containerId).flatMap((endpoint) => {
    const network = records.networks.get(endpoint.networkId);
    if (!network || !leadsOut(network, endpoint)) return [];
    const both = endpoint.ipv4 !== "" && endpoint.ipv6 !== "" && !endpoint.service;
    return [{ endpoint, network, both, priority: endpoint.service ? -Infinity : (endpoint.settings.GwPriority ?? 0) }];
  });
  return candidates.sort((a, b) => {
    if (a.both !== b.both) return a.both ? -1 : 1;
    return a.priority === b.priority ? (a.network.name < b.network.name ? -1 : 1) : b.priority - a.priority;
  });
}

/** The endpoint that has the published ports: one of both families before others, then the highest priority, then the first by name. */
export function gatewayEndpoint(records: Records, containerId: string): EndpointRecord | undefined {
  return gatewayCandidates(records, containerId)[0]?.endpoint;
}

/** The endpoint that has the default route of a family. */
export function routeEndpoint(
  records: Records,
  containerId: string,
  family: Family,
): { endpoint: EndpointRecord; network: NetworkRecord } | undefined {
  return gatewayCandidates(records, containerId).find(({ endpoint }) => leads(endpoint, family));
}

/** Whether a container needs a way out of ours: plugins carry its networks, and none of these leads out. */
export function needsGatewayEndpoint(records: Records, containerId: string): boolean {
  const joined = records
    .endpointsOf(containerId)
    .filter(({ service, networkId }) => !service && records.networks.get(networkId)?.internal === false);
  if (joined.some(({ remote }) => remote?.noGateway)) return false;
  const gateway = gatewayEndpoint(records, containerId);
  return (!gateway || gateway.service === true) && joined.some(({ remote }) => remote !== undefined);
}

/** As `NetworkSettings.Networks` shows an endpoint. */
export function showEndpoint(
  network: NetworkRecord,
  endpoint: EndpointRecord,
  sandbox: SandboxRecord,
): EndpointSettings {
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
    Gateway: gatewayFor(network, endpoint, 4),
    IPAddress: ipv4,
    IPPrefixLen: lengthOf(network, endpoint, 4),
    IPv6Gateway: gatewayFor(network, endpoint, 6),
    GlobalIPv6Address: ipv6,
    GlobalIPv6PrefixLen: lengthOf(network, endpoint, 6),
    DNSNames: isUserDefined(network) ? dnsNames(sandbox, settings.Aliases ?? []) : null,
  };
}
