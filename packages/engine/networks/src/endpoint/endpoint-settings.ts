import type { EndpointSettings } from "@longshore/docker-api";
import { InvalidArgument } from "@longshore/errdefs";
import { sysctlErrors } from "./endpoint-sysctls.ts";
import { joinErrors } from "../ipam/config.ts";
import { mustPrefix } from "../ipam/defaults.ts";
import { contains, type Family, isMapped, parseAddress } from "@longshore/ip";
import type { NetworkRecord } from "../records/records.ts";

/** Whether containers find each other by name there: the default bridge, host and none know no names. */
export function isUserDefined({ name }: Pick<NetworkRecord, "name">): boolean {
  return !["bridge", "host", "none", "default"].includes(name);
}

/** The two families, with the address that is asked for of each; empty for none. */
function wantedAddresses({ IPAMConfig }: Partial<EndpointSettings>): [Family, string][] {
  const wanted: [Family, string][] = [
    [4, IPAMConfig?.IPv4Address ?? ""],
    [6, IPAMConfig?.IPv6Address ?? ""],
  ];
  return wanted.filter(([, address]) => address !== "");
}

/** An IPv4 address that is written as IPv6 is of neither family here. */
function isOf(family: Family, address: string): boolean {
  const parsed = parseAddress(address);
  return parsed?.family === family && !isMapped(parsed);
}

function subnetError(network: NetworkRecord, family: Family, address: string): string[] {
  const given = network.userSubnets.map(mustPrefix).filter((prefix) => prefix.family === family);
  if (given.length === 0)
    return ["user specified IP address is supported only when connecting to networks with user configured subnets"];
  const parsed = parseAddress(address);
  if (parsed && given.some((prefix) => contains(prefix, parsed))) return [];
  return [`no configured subnet or ip-range contain the IP address ${address}`];
}

const mac = /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i;

/** @throws InvalidArgument with Docker's texts for what an endpoint of this network may not ask for */
export function validateEndpoint(network: NetworkRecord, settings: Partial<EndpointSettings>): void {
  const errors: string[] = [];
  const wantedIps = wantedAddresses(settings);
  if (wantedIps.length > 0 && !isUserDefined(network))
    errors.push("user specified IP address is supported on user defined networks only");
  if ((settings.Aliases ?? []).length > 0 && !isUserDefined(network)) {
    errors.push("network-scoped alias is supported only for containers in user defined networks");
  }
  for (const [family, address] of wantedIps)
    if (!isOf(family, address)) errors.push(`invalid IPv${family} address: ${address}`);
  for (const [family, address] of wantedIps) errors.push(...subnetError(network, family, address));
  for (const address of settings.IPAMConfig?.LinkLocalIPs ?? [])
    if (!parseAddress(address)) errors.push(`invalid link-local IP address: ${address}`);
  errors.push(...sysctlErrors(settings.DriverOpts));
  if (errors.length > 0) throw new InvalidArgument(joinErrors("invalid endpoint settings", errors));
  const wanted = settings.MacAddress ?? "";
  if (wanted !== "" && !mac.test(wanted)) throw new InvalidArgument(`invalid MAC address ${wanted}`);
}
