import type { IPAMConfig } from "@longshore/docker-api";
import { InvalidArgument } from "@longshore/errdefs";
import { contains, formatPrefix, masked, overlaps, parseAddress, parsePrefix, type Prefix } from "@longshore/ip";

/** Some of Docker's reports join several findings: one alone stands as it is, more become a list. */
export function joinErrors(title: string, errors: string[]): string {
  const [first = ""] = errors;
  return `${title}:\n${errors.length > 1 ? errors.map((error) => `* ${error}`).join("\n") : first}`;
}

/** What is given with bits beyond its length, in the one spelling of each. */
function maskError(what: string, given: Prefix): string[] {
  const shown = formatPrefix(given);
  const wanted = formatPrefix(masked(given));
  return shown === wanted ? [] : [`invalid ${what} ${shown}: it should be ${wanted}`];
}

function rangeErrors(range: string, subnet: Prefix): string[] {
  const parsed = parsePrefix(range);
  if (!parsed) return [`invalid ip-range ${range}: invalid CIDR block notation`];
  if (parsed.family !== subnet.family)
    return [`invalid ip-range ${range}: parent subnet is an IPv${subnet.family} block`];
  const parent = formatPrefix(subnet);
  const bigger =
    parsed.bits < subnet.bits
      ? [`invalid ip-range ${range}: CIDR block is bigger than its parent subnet ${parent}`]
      : [];
  const outside = overlaps(subnet, parsed)
    ? []
    : [`invalid ip-range ${range}: parent subnet ${parent} doesn't contain ip-range`];
  return [...bigger, ...maskError("ip-range", parsed), ...outside];
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

function configErrors(config: IPAMConfig, enableIPv6: boolean): string[] {
  const text = config.Subnet ?? "";
  const subnet = parsePrefix(text);
  if (!subnet) return [`invalid subnet ${text}: invalid CIDR block notation`];
  // What is not used is shown as it was given.
  if (subnet.family === 6 && !enableIPv6) return [];
  const addresses = [
    config.Gateway ? addressError("gateway", config.Gateway, config.Gateway, subnet) : undefined,
    ...Object.entries(config.AuxiliaryAddresses ?? {}).map(([name, address]) =>
      addressError("auxiliary address", name, address, subnet),
    ),
  ];
  return [
    ...maskError("subnet", subnet),
    ...(config.IPRange ? rangeErrors(config.IPRange, subnet) : []),
    ...addresses.filter((error) => error !== undefined),
  ];
}

/** Blocks and addresses in any spelling. @throws InvalidArgument `invalid network config:\n…` with all that is wrong in the blocks. */
export function validateIPAMConfig(configs: IPAMConfig[], enableIPv6: boolean): void {
  const errors = configs.flatMap((config) => configErrors(config, enableIPv6));
  if (errors.length > 0) throw new InvalidArgument(joinErrors("invalid network config", errors));
}
