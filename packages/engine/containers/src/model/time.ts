import type { Timestamp } from "@bufbuild/protobuf/wkt";

/** Go's RFC3339Nano in UTC: nine digits, trailing zeros left out. */
function formatTime(seconds: bigint, nanos: number): string {
  const base = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  const fraction = String(nanos).padStart(9, "0").replace(/0+$/, "");
  return fraction === "" ? `${base}Z` : `${base}.${fraction}Z`;
}

let lastMs = 0;
let lastTick = 0n;
let last = 0n;

/** Nanoseconds since 1970, never twice the same: the millisecond clock, refined by the monotonic one. */
export function nowNano(): bigint {
  const ms = Date.now();
  const tick = process.hrtime.bigint();
  if (ms !== lastMs) {
    lastMs = ms;
    lastTick = tick;
  }
  const within = tick - lastTick;
  const nano = BigInt(ms) * 1_000_000n + (within < 999_999n ? within : 999_999n);
  last = nano === last ? nano + 1n : nano;
  return last;
}

export function now(): string {
  const nano = nowNano();
  return formatTime(nano / 1_000_000_000n, Number(nano % 1_000_000_000n));
}

export function fromTimestamp(timestamp: Timestamp | undefined): string {
  return timestamp === undefined || timestamp.seconds <= 0n ? now() : formatTime(timestamp.seconds, timestamp.nanos);
}

/** Times as `now` makes them, so that texts compare as the times do. */
export function comparableTime(text: string): string {
  return text.replace(/(?:\.(\d+))?Z$/, (_, fraction: string = "") => `.${fraction.padEnd(9, "0")}Z`);
}

/** Milliseconds since 1970; NaN for what is no time. */
export function parseTime(text: string): number {
  return Date.parse(text.replace(/(\.\d{3})\d+/, "$1"));
}
