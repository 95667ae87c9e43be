import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { RE2JS } from "re2js";
import { programSize } from "./program-size.ts";

/** What a text is held against. */
export interface Pattern {
  /** Whether the pattern is found in the text (an anchored one: is the text). */
  test(text: string): boolean;
}

/** More than any name or list of names in an expression needs. */
const maxBytes = 4096;
/** So much is compiled in some tens of milliseconds. */
export const maxProgramSize = 10_000;

/** A pattern that Go might take, but that would keep a daemon busy. */
export class PatternTooLarge extends InvalidArgument {
  constructor() {
    super("error parsing regexp: expression too large");
  }
}

/** Nothing but a text, anchored or not: most filters are, and need no program. */
const plain = /^(\^?)([^\\^$.|?*+()[\]{}]*)(\$?)$/;

function plainText(pattern: string): Pattern | undefined {
  const [, start, text, end] = plain.exec(pattern) ?? [];
  if (text === undefined) return undefined;
  if (start === "") return { test: (tested) => (end === "" ? tested.includes(text) : tested.endsWith(text)) };
  return { test: (tested) => (end === "" ? tested.startsWith(text) : tested === text) };
}

/** The size of what has to be run for a pattern; 0 for plain text. @throws PatternTooLarge */
export function sizeOf(pattern: string): number {
  if (plain.test(pattern)) return 0;
  const size = Buffer.byteLength(pattern) > maxBytes ? Number.POSITIVE_INFINITY : programSize(pattern);
  if (size > maxProgramSize) throw new PatternTooLarge();
  return size;
}

/**
 * Compiles a regular expression of Go's (RE2): no text makes its match take longer than the text is long times
 * what the expression is.
 * @throws InvalidArgument `error parsing regexp: …` in Go's words; PatternTooLarge
 */
export function compileRegExp(pattern: string): Pattern {
  const text = plainText(pattern);
  if (text !== undefined) return text;
  sizeOf(pattern);
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    const message = messageOf(error);
    throw new InvalidArgument(
      message.endsWith("trailing backslash at end of expression") ? `${message}: \`\`` : message,
      { cause: error },
    );
  }
}
