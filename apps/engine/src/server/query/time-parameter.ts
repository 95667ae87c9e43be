import { InvalidArgument, Unknown } from "@longshore/errdefs";
import { parseDuration, quoteText } from "@longshore/go-values";

/**
 * `seconds[.nanoseconds]` since 1970 as nanoseconds; 0 when empty.
 * @throws Unknown (status 500, as Docker answers)
 */
export function parseTimestamp(value: string): bigint {
  if (value === "") return 0n;
  const match = /^(-?\d+)(?:\.(\d{1,9})\d*)?$/.exec(value);
  if (match === null) throw new Unknown(`strconv.ParseInt: parsing ${quoteText(value)}: invalid syntax`);
  return BigInt(match[1] ?? "0") * 1_000_000_000n + BigInt((match[2] ?? "").padEnd(9, "0"));
}

/** Milliseconds of a Go duration; undefined for what is none. */
function durationMs(value: string): number | undefined {
  try {
    return parseDuration(value) / 1e6;
  } catch {
    return undefined;
  }
}

/** A point in time given as duration before now, unix seconds or a date; in milliseconds. @throws InvalidArgument */
export function parsePointInTime(value: string): number {
  const duration = value === "0" ? undefined : durationMs(value);
  if (duration !== undefined) return Date.now() - duration;
  if (/^\d+(?:\.\d+)?$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  if (Number.isNaN(date))
    throw new InvalidArgument(`failed to parse value as time or duration: ${JSON.stringify(value)}`);
  return date;
}
