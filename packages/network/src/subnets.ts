import { mustPrefix } from "./ipam/defaults.ts";
import { contains, type Family, parseAddress } from "./ipam/prefix.ts";
import type { SubnetRecord } from "./ipam/subnet.ts";
import type { NetworkRecord } from "./records.ts";

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

/** The address by which `address` leaves the network; empty for internal networks and those that need none. */
export function gatewayOf(network: NetworkRecord, address: string): string {
  return network.internal ? "" : (subnetWith(network, address)?.gateway ?? "");
}
