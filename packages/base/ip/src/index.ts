import ipaddr from "ipaddr.js";

export { addressProblem } from "./address-problem.ts";

export type Family = 4 | 6;

/** An address of either family as a number. */
export interface Address {
  family: Family;
  value: bigint;
}

/** A CIDR block; `value` is its first address, or the given one when it was parsed as an interface address. */
export interface Prefix extends Address {
  bits: number;
}

const width = { 4: 32, 6: 128 } as const;

function fromBytes(family: Family, bytes: number[]): Address {
  return { family, value: bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n) };
}

/** The family of a text that is an address. */
export function familyOf(address: string): Family {
  return address.includes(":") ? 6 : 4;
}

/** Reads a dotted quad or an IPv6 address; undefined for anything else. */
export function parseAddress(text: string): Address | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return fromBytes(4, ipaddr.IPv4.parse(text).toByteArray());
  if (text.includes("%") || !ipaddr.IPv6.isValid(text)) return undefined;
  return fromBytes(6, ipaddr.IPv6.parse(text).toByteArray());
}

/** Reads `address/bits`, the host part kept; undefined for anything else. */
export function parsePrefix(text: string): Prefix | undefined {
  const [address = "", bits = "", ...rest] = text.split("/");
  const parsed = parseAddress(address);
  if (!parsed || rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > width[parsed.family])
    return undefined;
  return { ...parsed, bits: Number(bits) };
}

export function formatAddress({ family, value }: Address): string {
  const bytes: number[] = [];
  for (let shift = BigInt(width[family]) - 8n; shift >= 0n; shift -= 8n) bytes.push(Number((value >> shift) & 255n));
  if (isMapped({ family, value })) return `::ffff:${bytes.slice(12).join(".")}`;
  return family === 4 ? bytes.join(".") : new ipaddr.IPv6(bytes).toRFC5952String();
}

/** The one spelling of an address (RFC 5952); what is none stays as it is. */
export function canonicalAddress(text: string): string {
  const parsed = parseAddress(text);
  return parsed ? formatAddress(parsed) : text;
}

/** Whether an address is an IPv4 one that is written as IPv6 (`::ffff:10.0.0.1`). */
export function isMapped({ family, value }: Address): boolean {
  return family === 6 && value >> 32n === 0xffffn;
}

export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix)}/${prefix.bits}`;
}

/** How many addresses the block holds. */
export function sizeOf(prefix: Prefix): bigint {
  return 1n << BigInt(width[prefix.family] - prefix.bits);
}

/** The block with its host part cleared. */
export function masked(prefix: Prefix): Prefix {
  return { ...prefix, value: prefix.value - (prefix.value % sizeOf(prefix)) };
}

export function firstOf(prefix: Prefix): bigint {
  return masked(prefix).value;
}

export function lastOf(prefix: Prefix): bigint {
  return firstOf(prefix) + sizeOf(prefix) - 1n;
}

export function contains(prefix: Prefix, address: Address): boolean {
  return address.family === prefix.family && address.value >= firstOf(prefix) && address.value <= lastOf(prefix);
}

export function overlaps(a: Prefix, b: Prefix): boolean {
  return a.family === b.family && firstOf(a) <= lastOf(b) && firstOf(b) <= lastOf(a);
}
