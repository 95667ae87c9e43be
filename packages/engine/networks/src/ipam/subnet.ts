import type { IPAMConfig } from "@longshore/docker-api";
import { Unknown } from "@longshore/errdefs";
import { mustPrefix } from "./defaults.ts";
import { chooseAddress } from "./pool.ts";
import {
  type Address,
  canonicalAddress,
  formatAddress,
  formatPrefix,
  masked,
  parseAddress,
  type Prefix,
} from "@longshore/ip";

/** A block that addresses are given out of, as text. */
export interface SubnetRecord {
  subnet: string;
  range: string;
  /** Empty where none is needed. */
  gateway: string;
  auxiliary: string[];
  /** Where default routes lead, when that is not the gateway. */
  router?: string;
}

/**
 * Fills in range and gateway: the first address of the range that hosts may have. Auxiliary addresses are others.
 * @param needsGateway whether one is chosen when none is given
 * @throws Unknown for addresses that none may have
 */
export function subnetOf(config: IPAMConfig, needsGateway = true): SubnetRecord {
  const prefix = masked(mustPrefix(config.Subnet ?? ""));
  const subnet = formatPrefix(prefix);
  const range = config.IPRange ? formatPrefix(masked(mustPrefix(config.IPRange))) : subnet;
  const named = Object.entries(config.AuxiliaryAddresses ?? {});
  const auxiliary = named.map(([, address]) => canonicalAddress(address));
  const wish = config.Gateway === undefined || config.Gateway === "" ? undefined : parseAddress(config.Gateway);
  const given = { subnet, range, gateway: "", auxiliary };
  const used = new Set<bigint>();
  if (wish || needsGateway) {
    const gateway = chooseGateway(prefix, mustPrefix(range), wish);
    used.add(gateway.value);
    given.gateway = formatAddress(gateway);
  }
  for (const [name, address] of named) {
    try {
      used.add(chooseAddress({ prefix, range: prefix }, used, subnet, parseAddress(address)).value);
    } catch (error) {
      throw new Unknown(`failed to allocate secondary ip address (${name}:${address}): Address already in use`, {
        cause: error,
      });
    }
  }
  return given;
}

function chooseGateway(prefix: Prefix, range: Prefix, wish: Address | undefined): Address {
  // A single IPv6 address is the router's anycast address.
  if (!wish && prefix.family === 6 && prefix.bits === 128)
    throw new Unknown("failed to allocate gateway (): no available addresses on this pool");
  try {
    return chooseAddress({ prefix, range }, new Set(), formatPrefix(prefix), wish);
  } catch (error) {
    throw new Unknown(
      `failed to allocate gateway (${wish ? formatAddress(wish) : ""}): ${wish ? "Address already in use" : "no available addresses on this pool"}`,
      { cause: error },
    );
  }
}
