import { InvalidArgument, Unknown } from "@longshore/errdefs";

/**
 * `seconds[.nanoseconds]` since 1970 as nanoseconds; 0 when empty.
 * @throws Unknown (status 500, as Docker answers)
 */
export function parseTimestamp(value: string): bigint {
  if (value === "") return 0n;
  const match = /^(-?\d+)(?:\.(\d{1,9})\d*)?$/.exec(value);
  if (match === null) throw new Unknown(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  return BigInt(match[1] ?? "0") * 1_000_000_000n + BigInt((match[2] ?? "").padEnd(9, "0"));
}

const unitMs: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A Go duration (`1h30m`) in milliseconds; `undefined` for what is none. */
function parseDuration(value: string): number | undefined {
  if (!/^[+-]?(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(value)) return undefined;
  let total = 0;
  for (const [, amount, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g))
    total += Number(amount) * (unitMs[unit ?? ""] ?? 0);
  return value.startsWith("-") ? -total : total;
}

/** A point in time given as duration before now, unix seconds or a date; in milliseconds. @throws InvalidArgument */
export function parsePointInTime(value: string): number {
  const duration = parseDuration(value);
  if (duration !== undefined) return Date.now() - duration;
  if (/^\d+(?:\.\d+)?$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  if (Number.isNaN(date))
    throw new InvalidArgument(`failed to parse value as time or duration: ${JSON.stringify(value)}`);
  return date;
}
