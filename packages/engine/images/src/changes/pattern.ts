import { InvalidArgument } from "@longshore/errdefs";

/** One place of a shell pattern: a character, any one, or any number of any. */
type Part = { readonly literal: string } | "one" | "many";

/**
 * A shell pattern (`*`, `?`, `\*`) as `${name#pattern}` and its like know it: no brackets.
 * @throws InvalidArgument `invalid escape '\x'`
 */
function parsePattern(pattern: string): Part[] {
  const characters = [...pattern];
  const parts: Part[] = [];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? "";
    if (character === "*") parts.push("many");
    else if (character === "?") parts.push("one");
    else if (character !== "\\") parts.push({ literal: character });
    else {
      const escaped = characters[++at] ?? "\uFFFD";
      // A brace and a slash are escaped only because they would end the pattern.
      if (!["*", "?", "\\", "}", "/"].includes(escaped)) throw new InvalidArgument(`invalid escape '\\${escaped}'`);
      parts.push({ literal: escaped });
    }
  }
  return parts;
}

/**
 * Where matches that begin at `start` end, the shortest first: all at once, character by character, so that no
 * pattern makes it try again.
 */
function* matchEnds(parts: readonly Part[], text: readonly string[], start: number): Generator<number> {
  const skipMany = (states: Set<number>): Set<number> => {
    for (const state of states) if (parts[state] === "many") states.add(state + 1);
    return states;
  };
  let states = skipMany(new Set([0]));
  for (let at = start; states.size > 0; at++) {
    if (states.has(parts.length)) yield at;
    const character = text[at];
    // As in the real engine's regular expressions, a wildcard is not a line feed.
    if (character === undefined) return;
    const next = new Set<number>();
    for (const state of states) {
      const part = parts[state];
      if (part === undefined) continue;
      if (part === "many") {
        if (character !== "\n") next.add(state);
      } else if (part === "one" ? character !== "\n" : part.literal === character) next.add(state + 1);
    }
    states = skipMany(next);
  }
}

function endOf(parts: readonly Part[], text: readonly string[], start: number, longest: boolean): number | undefined {
  let end: number | undefined;
  for (end of matchEnds(parts, text, start)) if (!longest) break;
  return end;
}

/** The value without what matches at its beginning. */
export function trimPrefix(pattern: string, value: string, longest: boolean): string {
  const text = [...value];
  return text.slice(endOf(parsePattern(pattern), text, 0, longest) ?? 0).join("");
}

/** The value without what matches at its end. */
export function trimSuffix(pattern: string, value: string, longest: boolean): string {
  const text = [...value].toReversed();
  return text
    .slice(endOf(parsePattern(pattern).toReversed(), text, 0, longest) ?? 0)
    .toReversed()
    .join("");
}

/** The value with the first match, the longest at its place, replaced, or all matches. */
export function replaceMatches(pattern: string, replacement: string, value: string, all: boolean): string {
  const parts = parsePattern(pattern);
  const text = [...value];
  let result = "";
  let last = -1;
  for (let at = 0; at <= text.length;) {
    const end = endOf(parts, text, at, true);
    // An empty match right behind another one is none.
    if (end === undefined || (end === at && at === last)) {
      result += text[at++] ?? "";
      continue;
    }
    result += replacement;
    last = end;
    if (!all) return result + text.slice(end).join("");
    if (end === at) result += text[at] ?? "";
    at = end === at ? at + 1 : end;
  }
  return result;
}
