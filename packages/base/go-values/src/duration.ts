import { InvalidArgument } from "@longshore/errdefs";

const units: Record<string, number> = { ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** Nanoseconds of a Go duration: `1h30m`, `1.5s`. @throws InvalidArgument in Go's words */
export function parseDuration(text: string): number {
  const invalid = new InvalidArgument(`time: invalid duration ${JSON.stringify(text)}`);
  const match = /^([+-]?)((?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.exec(text);
  if (text === "0") return 0;
  if (match === null)
    throw /^[+-]?[\d.]+$/.test(text)
      ? new InvalidArgument(`time: missing unit in duration ${JSON.stringify(text)}`)
      : invalid;
  let total = 0;
  for (const [, number = "", unit = ""] of text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    total += Number(number) * (units[unit] ?? 0);
  }
  return (match[1] === "-" ? -1 : 1) * Math.trunc(total);
}
