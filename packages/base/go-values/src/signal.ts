import { constants } from "node:os";
import { InvalidArgument } from "@longshore/errdefs";

/** Numbers of Linux's signals by name without `SIG`; RTMIN, RTMIN+n, RTMAX-n and RTMAX as Docker names them. */
const signals: ReadonlyMap<string, number> = new Map([
  ...Object.entries(constants.signals).map(([name, number]): [string, number] => [name.slice(3), number]),
  ["CLD", 17],
  ["STKFLT", 16],
  ["RTMIN", 34],
  ...Array.from({ length: 15 }, (_, n): [string, number] => [`RTMIN+${n + 1}`, 35 + n]),
  ...Array.from({ length: 14 }, (_, n): [string, number] => [`RTMAX-${14 - n}`, 50 + n]),
  ["RTMAX", 64],
]);

/**
 * The number of a signal given as name (`SIGTERM`, `term`, `RTMIN+3`) or number.
 * @throws InvalidArgument `invalid signal: x`
 */
export function parseSignal(text: string): number {
  const number = /^[+-]?\d+$/.test(text) ? Number(text) : signals.get(text.toUpperCase().replace(/^SIG/, ""));
  if (number === undefined || number === 0) throw new InvalidArgument(`invalid signal: ${text}`);
  return number;
}
