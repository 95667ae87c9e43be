import { InvalidArgument } from "@longshore/errdefs";
import { quoteText } from "./quote.ts";

const prefixes = ["", "k", "m", "g", "t", "p"];

function parseSize(text: string, base: number): number {
  const end = text.search(/[^0-9. ]*$/);
  if (end === 0) throw new InvalidArgument(`invalid size: '${text}'`);
  const digits = text.slice(0, text[end - 1] === " " ? end - 1 : end);
  const suffix = text.slice(end);
  if (!/^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(digits))
    throw new InvalidArgument(`strconv.ParseFloat: parsing ${quoteText(digits)}: invalid syntax`);
  const size = Number(digits);
  if (!Number.isFinite(size))
    throw new InvalidArgument(`strconv.ParseFloat: parsing ${quoteText(digits)}: value out of range`);
  if (size < 0) throw new InvalidArgument(`invalid size: '${text}'`);
  if (suffix.length > 3) throw new InvalidArgument(`invalid suffix: '${suffix}'`);
  const match = /^(?:b|([kmgtp])(?:i?b)?)?$/.exec(suffix.toLowerCase());
  if (match === null) throw new InvalidArgument(`invalid suffix: '${suffix.toLowerCase()}'`);
  return Math.trunc(size * base ** prefixes.indexOf(match[1] ?? ""));
}

/** `64M`, `1gib`, `512` in bytes, in powers of 1024. @throws InvalidArgument in the words of go-units' RAMInBytes */
export function ramInBytes(text: string): number {
  return parseSize(text, 1024);
}

/** `10m`, `1.5 GB` in bytes, in powers of 1000. @throws InvalidArgument in the words of go-units' FromHumanSize */
export function fromHumanSize(text: string): number {
  return parseSize(text, 1000);
}

const units = ["B", "kB", "MB", "GB", "TB", "PB"];

/** Bytes in decimal units with four significant digits: `1.081MB`. As go-units' HumanSize. */
export function humanSize(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${Number(size.toPrecision(4))}${units[unit] ?? ""}`;
}
