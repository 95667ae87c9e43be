import { InvalidArgument } from "@longshore/errdefs";

const units: Record<string, number> = { ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** How Go's package time shows text: each byte that is not printable ASCII in hexadecimal. */
function quote(text: string): string {
  const shown = [...Buffer.from(text)].map((byte) => {
    const character = String.fromCharCode(byte);
    if (byte < 0x20 || byte >= 0x80) return `\\x${byte.toString(16).padStart(2, "0")}`;
    return character === '"' || character === "\\" ? `\\${character}` : character;
  });
  return `"${shown.join("")}"`;
}

/**
 * Nanoseconds of a Go duration: `1h30m`, `1.5s`; beyond 2^53 rounded.
 * @throws InvalidArgument in the words of time.ParseDuration
 */
export function parseDuration(text: string): number {
  const invalid = (): InvalidArgument => new InvalidArgument(`time: invalid duration ${quote(text)}`);
  let rest = text.replace(/^[+-]/, "");
  if (rest === "0") return 0;
  if (rest === "") throw invalid();
  let total = 0;
  while (rest !== "") {
    const number = /^[0-9]*(?:\.[0-9]*)?/.exec(rest)?.[0] ?? "";
    if (number === "" || number === ".") throw invalid();
    rest = rest.slice(number.length);
    const unit = /^[^0-9.]+/.exec(rest)?.[0];
    if (unit === undefined) throw new InvalidArgument(`time: missing unit in duration ${quote(text)}`);
    const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
    if (factor === undefined) throw new InvalidArgument(`time: unknown unit ${quote(unit)} in duration ${quote(text)}`);
    rest = rest.slice(unit.length);
    total += Number(number) * factor;
  }
  if (total > 2 ** 63) throw invalid();
  const nanoseconds = Math.trunc(total);
  return text.startsWith("-") && nanoseconds !== 0 ? -nanoseconds : nanoseconds;
}
