// Until go-values is there.
export function parseGoBool(text: string): boolean | undefined {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(text)) return false;
  return undefined;
}
export function ramInBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp])?i?b?$/i.exec(text);
  if (match === null) return undefined;
  const power = " kmgtp".indexOf((match[2] ?? " ").toLowerCase());
  return Math.trunc(Number(match[1]) * 1024 ** power);
}
const units: Record<string, number> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };
export function parseDuration(text: string): number {
  const q = JSON.stringify(text);
  let rest = text.replace(/^[+-]/, "");
  if (rest === "0") return 0;
  if (rest === "") throw new Error(`time: invalid duration ${q}`);
  let total = 0;
  while (rest !== "") {
    const match = /^(\d*)(\.\d*)?/.exec(rest)!;
    if (match[0] === "" || match[0] === ".") throw new Error(`time: invalid duration ${q}`);
    rest = rest.slice(match[0].length);
    const unit = /^[^\d.]+/.exec(rest)?.[0];
    if (unit === undefined) throw new Error(`time: missing unit in duration ${q}`);
    if (units[unit] === undefined) throw new Error(`time: unknown unit ${JSON.stringify(unit)} in duration ${q}`);
    rest = rest.slice(unit.length);
    total += Number(match[0]) * units[unit]!;
  }
  return Math.trunc(text.startsWith("-") ? -total : total);
}
