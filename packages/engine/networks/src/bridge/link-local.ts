import type { EndpointSettings } from "@longshore/docker-api";
import { InvalidArgument } from "@longshore/errdefs";
import { mustPrefix } from "../ipam/defaults.ts";
import { contains, formatAddress, parseAddress } from "@longshore/ip";

const blocks = { 4: mustPrefix("169.254.0.0/16"), 6: mustPrefix("fe80::/10") } as const;
/** Lengths of the subnets that the addresses are given with. */
const bits = { 4: 16, 6: 64 } as const;

/** The link-local addresses that were asked for, with their lengths. @throws InvalidArgument for others */
export function linkLocalAddresses(settings: Partial<EndpointSettings>): { address: string; bits: number }[] {
  return (settings.IPAMConfig?.LinkLocalIPs ?? []).map((address) => {
    const parsed = parseAddress(address);
    if (!parsed || !contains(blocks[parsed.family], parsed))
      throw new InvalidArgument(`invalid link local IP address: ${address}`);
    return { address: formatAddress(parsed), bits: bits[parsed.family] };
  });
}
