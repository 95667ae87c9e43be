import type { IPAMConfig } from "@longshore/api";
import { Unknown } from "@longshore/errdefs";
import { mustPrefix } from "./defaults.ts";
import { chooseAddress } from "./pool.ts";
import { formatAddress, parseAddress } from "./prefix.ts";

/** A block that addresses are given out of, as text. */
export interface SubnetRecord {
  subnet: string;
  range: string;
  /** Empty where none is needed. */
  gateway: string;
  auxiliary: string[];
}

/**
 * Fills in range and gateway: the first address of the range that hosts may have.
 * @param needsGateway whether one is chosen when none is given
 * @throws Unknown for a gateway that none may have
 */
export function subnetOf(config: IPAMConfig, needsGateway = true): SubnetRecord {
  const subnet = config.Subnet ?? "";
  const prefix = mustPrefix(subnet);
  const range = config.IPRange ?? subnet;
  const auxiliary = Object.values(config.AuxiliaryAddresses ?? {});
  const used = new Set(auxiliary.map((address) => parseAddress(address)!.value));
  const wish = config.Gateway === undefined || config.Gateway === "" ? undefined : parseAddress(config.Gateway);
  if (!wish && !needsGateway) return { subnet, range, gateway: "", auxiliary };
  try {
    const gateway = formatAddress(chooseAddress({ prefix, range: mustPrefix(range) }, used, subnet, wish));
    return { subnet, range, gateway, auxiliary };
  } catch (error) {
    if (!wish) throw error;
    throw new Unknown(`failed to allocate gateway (${config.Gateway}): Address already in use`, { cause: error });
  }
}
