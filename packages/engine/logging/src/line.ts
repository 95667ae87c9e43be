import { parsePlain } from "@longshore/go-json";
import { formatAttributes } from "./attributes.ts";

/** One record of a json-file log. */
export interface LogLine {
  /** Halves of pairs from U+DC80 to U+DCFF stand for bytes that are no UTF-8, see `bytesOf`. */
  log: string;
  stream: "stdout" | "stderr";
  /** RFC 3339 with nanoseconds, UTC. */
  time: string;
  attrs?: Record<string, string>;
}

/** Parses one line of a log file; `undefined` for what is no record (a line that was cut off). */
export function parseLine(text: string): LogLine | undefined {
  try {
    // Names that may be anything are only those of attributes; a log has many lines without.
    // oxlint-disable-next-line no-restricted-properties
    const line = (text.includes('"attrs"') ? parsePlain(text) : JSON.parse(text)) as Partial<LogLine>;
    if (typeof line.log !== "string" || typeof line.time !== "string") return undefined;
    return {
      log: line.log,
      stream: line.stream === "stderr" ? "stderr" : "stdout",
      time: line.time,
      ...(line.attrs === undefined ? {} : { attrs: line.attrs }),
    };
  } catch {
    return undefined;
  }
}

/** Nanoseconds since 1970 of a record's time. */
export function nanosOf(time: string): bigint {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/.exec(time);
  if (match === null) return 0n;
  return BigInt(Date.parse(`${match[1]}${match[3]}`)) * 1_000_000n + BigInt((match[2] ?? "").padEnd(9, "0"));
}

/** RFC 3339 with nanoseconds for nanoseconds since 1970; 0 is Go's zero time. */
export function timeOf(nanos: bigint): string {
  if (nanos === 0n) return "0001-01-01T00:00:00Z";
  const fraction = (nanos % 1_000_000_000n).toString().padStart(9, "0").replace(/0+$/, "");
  return `${new Date(Number(nanos / 1_000_000n)).toISOString().slice(0, 19)}${fraction === "" ? "" : `.${fraction}`}Z`;
}

/** A time with all nine digits of its fraction, as `docker logs -t` shows it. */
function fixedTime(time: string): string {
  return time.replace(
    /(?:\.(\d+))?Z$/,
    (_whole, fraction: string | undefined) => `.${(fraction ?? "").padEnd(9, "0").slice(0, 9)}Z`,
  );
}

/** A record as it is sent to a client. */
export function renderLine(line: LogLine, options: { timestamps: boolean; details: boolean }): string {
  const details = options.details ? `${formatAttributes(line.attrs ?? {})} ` : "";
  return `${options.timestamps ? `${fixedTime(line.time)} ` : ""}${details}${line.log}`;
}
