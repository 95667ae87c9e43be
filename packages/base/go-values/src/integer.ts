import { InvalidArgument } from "@longshore/errdefs";
import { quoteText } from "./quote.ts";

/** Go's functions that read a whole number in base 10; all but ParseUint take a sign. */
export type IntegerParser = "Atoi" | "ParseInt" | "ParseUint";

/**
 * A whole number as Go's strconv reads it.
 * @param bits its size; a value beyond 2^53 comes back rounded
 * @throws InvalidArgument in Go's words: `strconv.Atoi: parsing "x": invalid syntax`
 */
export function parseInteger(text: string, parser: IntegerParser, bits = 64): number {
  const refuse = (why: string): InvalidArgument =>
    new InvalidArgument(`strconv.${parser}: parsing ${quoteText(text)}: ${why}`);
  const signed = parser !== "ParseUint";
  if (!(signed ? /^[+-]?[0-9]+$/ : /^[0-9]+$/).test(text)) throw refuse("invalid syntax");
  const digits = text.replace(/^[+-]?0*(?=.)/, "");
  // Far from any range, and what BigInt need not be bothered with.
  if (digits.length > 20) throw refuse("value out of range");
  const size = BigInt(digits);
  const limit = 1n << BigInt(signed ? bits - 1 : bits);
  const negative = text.startsWith("-");
  if (negative ? size > limit : size >= limit) throw refuse("value out of range");
  return size === 0n ? 0 : Number(negative ? -size : size);
}
