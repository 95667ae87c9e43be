import type { Arguments, Pair } from "../source/arguments.ts";
import type { Statement } from "../source/statement.ts";
import { readFlags } from "./flags.ts";
import type { CommandLine, Common } from "./instruction.ts";

export function common({ keyword, original, lines, comments }: Statement): Common {
  return { keyword, code: original.trim(), lines, comments };
}

/** As `common`, for an instruction that has no flags. */
export function noFlags(statement: Statement): Common {
  readFlags(statement.flags, {});
  return common(statement);
}

export function valuesOf(given: Arguments): string[] {
  if (given.form === "text") return [given.text];
  return given.form === "words" || given.form === "exec" ? given.values : [];
}

export function atLeastOne(statement: Statement, keyword: string): string[] {
  const values = valuesOf(statement.arguments);
  if (values.length === 0) throw new Error(`${keyword} requires at least one argument`);
  return values;
}

export function exactlyOne(statement: Statement, keyword: string): string {
  const [value, ...others] = valuesOf(statement.arguments);
  if (value === undefined || others.length > 0) throw new Error(`${keyword} requires exactly one argument`);
  return value;
}

export function pairsOf(statement: Statement, keyword: string): Pair[] {
  const pairs = statement.arguments.form === "pairs" ? statement.arguments.pairs : [];
  if (pairs.length === 0) throw new Error(`${keyword} requires at least one argument`);
  if (pairs.some((pair) => pair.key === "")) throw new Error(`${keyword} names can not be blank`);
  return pairs;
}

export function commandLine({ arguments: given, heredocs }: Statement): CommandLine {
  const files = heredocs.map(({ name, content, chomp }) => ({ name, content, chomp }));
  return { values: valuesOf(given), shell: given.form !== "exec", files };
}
