import { mustPrefix } from "../ipam/defaults.ts";
import { contains, type Family, parseAddress } from "@longshore/ip";
import type { SubnetRecord } from "../ipam/subnet.ts";
import type { EndpointRecord, NetworkRecord } from "../records/records.ts";

/** The subnets of one family that a network's addresses come from. */
export function subnetsOf({ subnets }: NetworkRecord, family: Family): SubnetRecord[] {
  return subnets.filter(({ subnet }) => mustPrefix(subnet).family === family);
}

function subnetWith({ subnets }: NetworkRecord, address: string): SubnetRecord | undefined {
  const parsed = parseAddress(address);
  return parsed && subnets.find(({ subnet }) => contains(mustPrefix(subnet), parsed));
}

/** The length of the subnet that an address of the network is in; 0 for none. */
export function bitsOf(network: NetworkRecord, address: string): number {
  const found = subnetWith(network, address);
  return found ? mustPrefix(found.subnet).bits : 0;
}

/** The length of the subnet that an endpoint's address of one family is in; 0 without an address. */
export function lengthOf(network: NetworkRecord, endpoint: EndpointRecord, family: Family): number {
  return endpoint.bits?.[family] ?? bitsOf(network, family === 4 ? endpoint.ipv4 : endpoint.ipv6);
}

/** The address by which an endpoint leaves its network; empty for none. */
export function gatewayFor(network: NetworkRecord, { remote, ipv4, ipv6 }: EndpointRecord, family: Family): string {
  if (remote) return network.internal ? "" : remote.gateways[family];
  return gatewayOf(network, family === 4 ? ipv4 : ipv6);
}

/** The address by which `address` leaves the network; empty for internal networks and those that need none. */
function gatewayOf(network: NetworkRecord, address: string): string {
  const subnet = network.internal ? undefined : subnetWith(network, address);
  return subnet?.router ?? subnet?.gateway ?? "";
}
