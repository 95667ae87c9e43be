import { randomBytes } from "node:crypto";
import type { AddressPool } from "./pool.ts";
import { parsePrefix, type Prefix } from "@longshore/ip";

/** A prefix that is written in the source or was checked before. @throws TypeError for anything else. */
export function mustPrefix(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (!prefix) throw new TypeError(`${text} is not a CIDR block`);
  return prefix;
}

/** Docker's own pools for local networks: 172.17.0.0/16 to 172.31.0.0/16, then 192.168.0.0/16 in pieces of /20. */
export const defaultPools: AddressPool[] = [
  ...Array.from({ length: 15 }, (_, i) => ({ base: mustPrefix(`172.${17 + i}.0.0/16`), size: 16 })),
  { base: mustPrefix("192.168.0.0/16"), size: 20 },
];

/** A random unique local /48 (RFC 4193), cut into /64: what IPv6 networks without a subnet get. */
export function randomUlaPool(): AddressPool {
  const value = (0xfdn << 120n) | (BigInt(`0x${randomBytes(5).toString("hex")}`) << 80n);
  return { base: { family: 6, value, bits: 48 }, size: 64 };
}
