import { PermissionDenied } from "@longshore/errdefs";
import { type Address, contains, firstOf, formatAddress, lastOf, overlaps, type Prefix, sizeOf } from "@longshore/ip";

/** `base` is cut into blocks of `size` bits, as `default-address-pools` of daemon.json says. */
export interface AddressPool {
  base: Prefix;
  size: number;
}

/**
 * The first block of `pools` that touches none of `taken`.
 * @throws PermissionDenied when none is left
 */
export function chooseSubnet(pools: AddressPool[], taken: Prefix[]): Prefix {
  for (const { base, size } of pools) {
    const step = sizeOf({ ...base, bits: size });
    for (let value = firstOf(base); value <= lastOf(base);) {
      const candidate: Prefix = { family: base.family, value, bits: size };
      const hit = taken.find((prefix) => overlaps(prefix, candidate));
      if (!hit) return candidate;
      // Jump behind what is in the way, to the next block boundary.
      const next = lastOf(hit) + 1n;
      value = next > value + step ? next + ((step - (next % step)) % step) : value + step;
    }
  }
  throw new PermissionDenied("all predefined address pools have been fully subnetted");
}

/** One subnet of a network with what may be given out of it. */
export interface Subnet {
  prefix: Prefix;
  /** Where addresses without a wish come from; within `prefix`. */
  range: Prefix;
  gateway?: Address;
}

function reserved(subnet: Prefix, value: bigint): boolean {
  // IPv4: network and broadcast address of anything that has hosts; IPv6: the subnet-router anycast address.
  if (value === firstOf(subnet)) return subnet.family === 6 ? subnet.bits < 127 : subnet.bits < 31;
  return subnet.family === 4 && subnet.bits < 31 && value === lastOf(subnet);
}

/**
 * The wished address, or the lowest free one of the range.
 * @param used addresses given out, auxiliary ones and the gateway among them
 * @throws PermissionDenied with Docker's texts: `Address already in use`, `no available IPv4 addresses on this network's address pools: NAME (ID)`
 */
export function chooseAddress(subnet: Subnet, used: ReadonlySet<bigint>, network: string, wish?: Address): Address {
  const { prefix, range } = subnet;
  if (wish) {
    if (!contains(prefix, wish)) {
      throw new PermissionDenied(
        `Invalid address ${formatAddress(wish)}: It does not belong to any of this network's subnets`,
      );
    }
    if (used.has(wish.value) || reserved(prefix, wish.value)) throw new PermissionDenied("Address already in use");
    return wish;
  }
  for (let value = firstOf(range); value <= lastOf(range); value++) {
    if (!used.has(value) && !reserved(prefix, value)) return { family: prefix.family, value };
  }
  throw new PermissionDenied(`no available IPv${prefix.family} addresses on this network's address pools: ${network}`);
}
