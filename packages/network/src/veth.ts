import type { EndpointRecord } from "./records.ts";

/** What a pair of veth devices needs beside its endpoint. */
export interface VethPlan {
  endpoint: EndpointRecord;
  bridge: string;
  mtu: number;
  icc: boolean;
  /** Lengths of the subnets. */
  bits: { 4: number; 6: number };
}

/** A MAC that stands for an address: neighbours' tables stay right when the address goes to another container. */
export function macOf(ipv4: string): string {
  return ["02", "42", ...ipv4.split(".").map((part) => Number(part).toString(16).padStart(2, "0"))].join(":");
}

/** `ip` lines for the host: the pair, its host side on the bridge, its other side in the namespace. */
export function hostLines({ endpoint, bridge, mtu, icc }: VethPlan, netnsPath: string): string[] {
  const size = mtu > 0 ? ` mtu ${mtu}` : "";
  return [
    `link add name ${endpoint.veth}${size} master ${bridge} up type veth peer name ${endpoint.ifname} address ${endpoint.mac}${size} netns ${netnsPath}`,
    // Isolated ports reach the bridge itself but not each other.
    ...(icc ? [] : [`link set dev ${endpoint.veth} type bridge_slave isolated on`]),
  ];
}

/** `ip` lines for the namespace: addresses, and the link up. */
export function namespaceLines({ endpoint, bits }: VethPlan): string[] {
  const { ifname, ipv4, ipv6 } = endpoint;
  return [
    // Without IPv6 in the network there is no link-local address either.
    ...(ipv6 === "" ? [`link set dev ${ifname} addrgenmode none`] : []),
    ...(ipv4 === "" ? [] : [`addr add ${ipv4}/${bits[4]} brd + dev ${ifname}`]),
    ...(ipv6 === "" ? [] : [`addr add ${ipv6}/${bits[6]} dev ${ifname} nodad`]),
    `link set dev ${ifname} up`,
  ];
}

/** `ip` lines that lead the default routes through a device; `replace` also serves where there is none yet. */
export function routeLines(ifname: string, gateway4: string, gateway6: string): string[] {
  return [
    ...(gateway4 === "" ? [] : [`route replace default via ${gateway4} dev ${ifname}`]),
    ...(gateway6 === "" ? [] : [`route replace default via ${gateway6} dev ${ifname}`]),
  ];
}
