import { InvalidArgument } from "@longshore/errdefs";
import { type EscapeToken, splitQuoted } from "./words.ts";

/** One instruction of a Dockerfile, taken apart but not yet understood. */
export interface Instruction {
  /** As it was written. */
  readonly name: string;
  /** `--flag` and `--flag=value` before the arguments, without quotes. */
  readonly flags: readonly string[];
  /** What stands behind name and flags, without white space around it. */
  readonly text: string;
  /** The whole line, white space at its end included. */
  readonly line: string;
}

export interface Parsed {
  readonly instructions: readonly Instruction[];
  readonly escape: EscapeToken;
}

/** White space as Dockerfiles know it: a line feed is none. */
export const blanks = /[\t\v\f\r ]+/;

const directive = /^#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$/;

/** The escape character that the first lines set, `# escape=x`. @throws InvalidArgument for one that cannot be */
function escapeOf(lines: readonly string[]): EscapeToken {
  let escape: EscapeToken = "\\";
  for (const line of lines) {
    const [, name = "", value = ""] = directive.exec(line.trimStart()) ?? [];
    if (name === "") break;
    if (name.toLowerCase() !== "escape") continue;
    if (value !== "\\" && value !== "`")
      throw new InvalidArgument(`invalid escape token '${value}' does not match \` or \\`);
    escape = value;
  }
  return escape;
}

/** Takes the flags off the front of the arguments; `--` ends them. */
function splitFlags(text: string, escape: EscapeToken): { flags: string[]; text: string } {
  const flags: string[] = [];
  let rest = text;
  while (/^\s*--/.test(rest)) {
    rest = rest.trimStart();
    const { word, end } = splitQuoted(rest, escape, "strip");
    rest = rest.slice(end);
    if (word === "--") break;
    flags.push(word);
  }
  return { flags, text: rest.trim() };
}

/** @throws InvalidArgument as the flags' own syntax has it */
export function instructionOf(line: string, escape: EscapeToken): Instruction {
  const trimmed = line.trim();
  const gap = blanks.exec(trimmed);
  const name = gap === null ? trimmed : trimmed.slice(0, gap.index);
  const after = gap === null ? "" : trimmed.slice(gap.index + gap[0].length);
  return { name, line, ...splitFlags(after, escape) };
}

/**
 * The instructions of a text in Dockerfile syntax: comments and empty lines are none, the escape
 * character at the end of a line joins it with the next.
 * @throws InvalidArgument `file with no instructions`
 */
export function parseInstructions(text: string): Parsed {
  const raw = text.split("\n").map((line) => line.replace(/[\r\n]+$/, ""));
  const escape = escapeOf(raw);
  const continued = escape === "\\" ? /([^\\])\\[ \t]*$|^\\[ \t]*$/ : /([^`])`[ \t]*$|^`[ \t]*$/;
  const isComment = (line: string): boolean => line.trimStart().startsWith("#");
  const instructions: Instruction[] = [];
  let pending: string | undefined;
  const add = (line: string): void => void instructions.push(instructionOf(line, escape));
  for (const line of raw) {
    if (isComment(line) || line.trim() === "") continue;
    const joins = continued.test(line);
    const own = (pending === undefined ? line.trimStart() : line).replace(continued, "$1");
    pending = (pending ?? "") + own;
    if (joins) continue;
    add(pending);
    pending = undefined;
  }
  if (pending !== undefined) add(pending);
  if (instructions.length === 0) throw new InvalidArgument("file with no instructions");
  return { instructions, escape };
}
