import type { ByteString } from "./header.ts";
import { InvalidTarHeader } from "./errors.ts";
import { bytesOf, type Timespec } from "./header.ts";

/** Records whose values are names. */
const names = new Set(["path", "linkpath", "uname", "gname"]);

/** Parses the body of a PAX extended header: records `<length> <key>=<value>\n`. */
export function parsePax(body: Buffer): [key: string, value: ByteString][] {
  const records: [string, ByteString][] = [];
  let at = 0;
  while (at < body.length) {
    // Some writers pad the body with NULs.
    if (body[at] === 0) break;
    const space = body.indexOf(0x20, at);
    const length = space < 0 || space - at > 10 ? Number.NaN : Number(body.toString("latin1", at, space));
    const end = at + length;
    if (!Number.isInteger(length) || length < 4 || end > body.length || body[end - 1] !== 0x0a)
      throw new InvalidTarHeader();
    const equals = body.indexOf(0x3d, space + 1);
    if (equals <= space + 1 || equals >= end) throw new InvalidTarHeader();
    const key = body.toString("utf8", space + 1, equals);
    const value = body.toString("latin1", equals + 1, end - 1);
    // As Go: a name would end early for whoever takes it as C does.
    if ((names.has(key) ? value : key).includes("\0")) throw new InvalidTarHeader();
    records.push([key, value]);
    at = end;
  }
  return records;
}

/** One record; its length counts its own digits. */
export function formatPaxRecord(key: string, value: ByteString): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`, "utf8"), bytesOf(value), Buffer.from("\n")]);
  let length = rest.length + String(rest.length).length;
  if (String(length).length + rest.length !== length) length = rest.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** Reads `1700000000.123456789`, with any number of decimals and a sign. */
export function parsePaxTime(text: string): Timespec {
  const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text);
  if (match === null) throw new InvalidTarHeader();
  const [, sign, whole, decimals = ""] = match;
  const sec = Number(whole);
  const nsec = Number(decimals.slice(0, 9).padEnd(9, "0"));
  if (sign === "-") return nsec === 0 ? { sec: -sec, nsec: 0 } : { sec: -sec - 1, nsec: 1e9 - nsec };
  return { sec, nsec };
}

export function formatPaxTime({ sec, nsec }: Timespec): string {
  if (nsec === 0) return String(sec);
  const negative = sec < 0;
  const whole = negative ? -sec - 1 : sec;
  const part = negative ? 1e9 - nsec : nsec;
  return `${negative ? "-" : ""}${whole}.${String(part).padStart(9, "0").replace(/0+$/, "")}`;
}

/** A whole number in decimal, as PAX writes sizes and ids. */
export function parsePaxNumber(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new InvalidTarHeader();
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new InvalidTarHeader();
  return value;
}
