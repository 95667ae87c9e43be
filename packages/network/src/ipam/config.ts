import type { IPAMConfig } from "@longshore/api";
import { InvalidArgument } from "@longshore/errdefs";
import { contains, formatPrefix, masked, parseAddress, parsePrefix, type Prefix } from "./prefix.ts";

/** Some of Docker's reports join several findings: one alone stands as it is, more become a list. */
export function joinErrors(title: string, errors: string[]): string {
  const [first = ""] = errors;
  return `${title}:\n${errors.length > 1 ? errors.map((error) => `* ${error}`).join("\n") : first}`;
}

function rangeError(range: string, subnet: Prefix): string | undefined {
  const parsed = parsePrefix(range);
  if (!parsed) return `invalid ip-range ${range}: invalid CIDR block notation`;
  if (parsed.family !== subnet.family) return `invalid ip-range ${range}: parent subnet is an IPv${subnet.family} block`;
  if (parsed.bits < subnet.bits) {
    return `invalid ip-range ${range}: CIDR block is bigger than its parent subnet ${formatPrefix(subnet)}`;
  }
  const canonical = formatPrefix(masked(parsed));
  if (canonical !== range) return `invalid ip-range ${range}: it should be ${canonical}`;
  if (!contains(subnet, parsed)) {
    return `invalid ip-range ${range}: parent subnet ${formatPrefix(subnet)} doesn't contain ip-range`;
  }
  return undefined;
}

function addressError(what: string, shown: string, address: string, subnet: Prefix): string | undefined {
  const parsed = parseAddress(address);
  if (!parsed) return `invalid ${what} ${shown}: invalid address`;
  if (parsed.family !== subnet.family) return `invalid ${what} ${shown}: parent subnet is an IPv${subnet.family} block`;
  if (!contains(subnet, parsed)) {
    return `invalid ${what} ${shown}: parent subnet ${formatPrefix(subnet)} doesn't contain this address`;
  }
  return undefined;
}

function configErrors(config: IPAMConfig): string[] {
  const text = config.Subnet ?? "";
  const subnet = parsePrefix(text);
  if (!subnet) return [`invalid subnet ${text}: invalid CIDR block notation`];
  const canonical = formatPrefix(masked(subnet));
  const found: (string | undefined)[] = [];
  if (canonical !== text) found.push(`invalid subnet ${text}: it should be ${canonical}`);
  if (config.IPRange) found.push(rangeError(config.IPRange, masked(subnet)));
  if (config.Gateway) found.push(addressError("gateway", config.Gateway, config.Gateway, masked(subnet)));
  for (const [name, address] of Object.entries(config.AuxiliaryAddresses ?? {})) {
    found.push(addressError("auxiliary address", name, address, masked(subnet)));
  }
  return found.filter((error) => error !== undefined);
}

/** @throws InvalidArgument `invalid network config:\n…` with all that is wrong in the blocks. */
export function validateIPAMConfig(configs: IPAMConfig[]): void {
  const errors = configs.flatMap(configErrors);
  if (errors.length > 0) throw new InvalidArgument(joinErrors("invalid network config", errors));
}
