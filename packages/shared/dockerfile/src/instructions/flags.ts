import { withSuggestion } from "../suggest.ts";

type Kind = "boolean" | "string" | "strings";

type Value<K extends Kind> = K extends "boolean" ? boolean : K extends "string" ? string : string[];

/** The flags that were given; a list is always there. */
export type Flags<Spec extends Record<string, Kind>> = {
  [Name in keyof Spec]: Spec[Name] extends "strings" ? string[] : Value<Spec[Name]> | undefined;
};

/** Reads `--name=value` flags of an instruction by what it takes. @throws Error with BuildKit's words */
export function readFlags<Spec extends Record<string, Kind>>(flags: string[], spec: Spec): Flags<Spec> {
  const read: Record<string, boolean | string | string[] | undefined> = {};
  for (const [name, kind] of Object.entries(spec)) read[name] = kind === "strings" ? [] : undefined;
  for (const flag of flags) {
    if (flag === "--") break;
    if (!flag.startsWith("--")) throw new Error(`arg should start with -- : ${flag}`);
    const equals = flag.indexOf("=");
    const full = equals < 0 ? flag : flag.slice(0, equals);
    const name = full.slice(2);
    const value = equals < 0 ? undefined : flag.slice(equals + 1);
    const kind = Object.hasOwn(spec, name) ? spec[name] : undefined;
    if (kind === undefined) throw new Error(withSuggestion(`unknown flag: ${full}`, name, Object.keys(spec)));
    const before = read[name];
    if (Array.isArray(before)) {
      if (value === undefined) throw new Error(`missing a value on flag: ${full}`);
      before.push(value);
      continue;
    }
    if (before !== undefined) throw new Error(`duplicate flag specified: ${full}`);
    read[name] = kind === "boolean" ? booleanOf(full, value) : stringOf(full, value);
  }
  return read as Flags<Spec>;
}

function stringOf(flag: string, value: string | undefined): string {
  if (value === undefined) throw new Error(`missing a value on flag: ${flag}`);
  return value;
}

function booleanOf(flag: string, value: string | undefined): boolean {
  if (value === "") throw new Error(`missing a value on flag: ${flag}`);
  const lower = value?.toLowerCase() ?? "true";
  if (lower !== "true" && lower !== "false") {
    throw new Error(`expecting boolean value for flag ${flag}, not: ${value}`);
  }
  return lower === "true";
}
