import type { EndpointSettings } from "@longshore/api";
import { InvalidArgument } from "@longshore/errdefs";
import { joinErrors } from "./ipam/config.ts";
import { mustPrefix } from "./ipam/defaults.ts";
import { contains, type Family, parseAddress } from "./ipam/prefix.ts";
import type { NetworkRecord } from "./records.ts";

/** Whether containers find each other by name there: the default bridge, host and none know no names. */
export function isUserDefined({ name }: Pick<NetworkRecord, "name">): boolean {
  return !["bridge", "host", "none", "default"].includes(name);
}

function addressErrors(network: NetworkRecord, family: Family, address: string | undefined): string[] {
  if (address === undefined || address === "") return [];
  const parsed = parseAddress(address);
  const errors: string[] = [];
  if (parsed?.family !== family) errors.push(`invalid IPv${family} address: ${address}`);
  if (!isUserDefined(network)) return [...errors, "user specified IP address is supported on user defined networks only"];
  const given = network.userSubnets.map(mustPrefix).filter((prefix) => prefix.family === family);
  if (given.length === 0) return [...errors, "user specified IP address is supported only when connecting to networks with user configured subnets"];
  if (parsed && !given.some((prefix) => contains(prefix, parsed))) {
    errors.push(`no configured subnet or ip-range contain the IP address ${address}`);
  }
  return errors;
}

const mac = /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i;

/** @throws InvalidArgument with Docker's texts for what an endpoint of this network may not ask for */
export function validateEndpoint(network: NetworkRecord, settings: Partial<EndpointSettings>): void {
  const errors: string[] = [];
  if ((settings.Aliases ?? []).length > 0 && !isUserDefined(network)) {
    errors.push("network-scoped alias is supported only for containers in user defined networks");
  }
  errors.push(...addressErrors(network, 4, settings.IPAMConfig?.IPv4Address), ...addressErrors(network, 6, settings.IPAMConfig?.IPv6Address));
  if (errors.length > 0) throw new InvalidArgument(joinErrors("invalid endpoint settings", errors));
  const wanted = settings.MacAddress ?? "";
  if (wanted !== "" && !mac.test(wanted)) throw new InvalidArgument(`invalid MAC address ${wanted}`);
}
