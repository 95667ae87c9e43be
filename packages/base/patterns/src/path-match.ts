import type { Pattern } from "./reg-exp.ts";

/** One of a pattern's terms: any number of characters, or one character that a test accepts. */
type Term = "any" | ((char: string) => boolean);

/** A character of a class, `\x` for one that has a meaning. @returns undefined where the pattern is broken */
function member(chars: readonly string[], at: number): { char: string; next: number } | undefined {
  const escaped = chars[at] === "\\";
  const char = chars[escaped ? at + 1 : at];
  if (char === undefined || (!escaped && (char === "-" || char === "]"))) return undefined;
  return { char, next: at + (escaped ? 2 : 1) };
}

/** `[a-z0]`, `[^a]`; `from` is behind the bracket. */
function characterClass(chars: readonly string[], from: number): { term: Term; next: number } | undefined {
  const negated = chars[from] === "^";
  const ranges: [low: string, high: string][] = [];
  let at = negated ? from + 1 : from;
  do {
    const low = member(chars, at);
    if (low === undefined) return undefined;
    const high = chars[low.next] === "-" ? member(chars, low.next + 1) : low;
    if (high === undefined) return undefined;
    ranges.push([low.char, high.char]);
    at = high.next;
  } while (chars[at] !== "]");
  const point = (char: string): number => char.codePointAt(0) ?? 0;
  return {
    term: (char) => ranges.some(([low, high]) => point(low) <= point(char) && point(char) <= point(high)) !== negated,
    next: at + 1,
  };
}

function parse(pattern: string): Term[] | undefined {
  const chars = [...pattern];
  const terms: Term[] = [];
  for (let at = 0; at < chars.length;) {
    const char = chars[at];
    if (char === "*") {
      if (terms.at(-1) !== "any") terms.push("any");
      at++;
    } else if (char === "?") {
      terms.push((tested) => tested !== "/");
      at++;
    } else if (char === "[") {
      const found = characterClass(chars, at + 1);
      if (found === undefined) return undefined;
      terms.push(found.term);
      at = found.next;
    } else {
      const literal = char === "\\" ? chars[at + 1] : char;
      if (literal === undefined) return undefined;
      terms.push((tested) => tested === literal);
      at += char === "\\" ? 2 : 1;
    }
  }
  return terms;
}

/** Goes back to the last star only: as none crosses a slash, an earlier one could do no better. */
function matches(terms: readonly Term[], chars: readonly string[]): boolean {
  let term = 0;
  let star: { term: number; char: number } | undefined;
  for (let at = 0; at < chars.length;) {
    const current = terms[term];
    const char = chars[at] ?? "";
    if (current === "any") star = { term: term++, char: at };
    else if (current?.(char) === true) {
      term++;
      at++;
    } else if (star !== undefined && chars[star.char] !== "/") {
      at = ++star.char;
      term = star.term + 1;
    } else return false;
  }
  return terms.slice(term).every((left) => left === "any");
}

/** More than any name has. */
const maxLength = 4096;

/**
 * Compiles a shell pattern as Go's `path.Match` reads it: `*` and `?` match no slash, `[a-z]`, `[^a]`, `\x`.
 * @returns undefined when it is malformed, or longer than anything it could match
 */
export function compilePathMatch(pattern: string): Pattern | undefined {
  const terms = pattern.length > maxLength ? undefined : parse(pattern);
  if (terms === undefined) return undefined;
  const least = terms.filter((term) => term !== "any").length;
  return {
    test: (text) => {
      const chars = [...text];
      return chars.length >= least && matches(terms, chars);
    },
  };
}
