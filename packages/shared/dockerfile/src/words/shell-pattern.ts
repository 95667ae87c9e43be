import { RE2JS } from "re2js";
import { WordError } from "./word-error.ts";

/**
 * The patterns of `${NAME#…}`, `${NAME%…}` and `${NAME/…/…}`: `*` and `?`, no brackets. They are matched by RE2, which
 * takes a time linear in the value whatever the pattern.
 */
function compile(pattern: string, greedy: boolean, anchored: boolean): RE2JS {
  let expression = anchored ? "^" : "";
  const characters = [...pattern];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!;
    if (character === "*") expression += greedy ? ".*" : ".*?";
    else if (character === "?") expression += ".";
    else if (character === "\\") {
      const escaped = characters[at + 1];
      // Within braces these two must be escaped, but the escape is no part of the pattern.
      if (escaped === "}" || escaped === "/") continue;
      if (escaped !== "*" && escaped !== "?" && escaped !== "\\") {
        throw new WordError(`invalid pattern (${pattern}) in substitution: invalid escape '\\${escaped ?? "\uFFFD"}'`);
      }
      expression += `\\${escaped}`;
      at++;
    } else expression += "[]{}.+()|^$".includes(character) ? `\\${character}` : character;
  }
  return RE2JS.compile(expression);
}

/** The value without the shortest (longest, if greedy) beginning that matches. */
export function trimStart(value: string, pattern: string, greedy: boolean): string {
  const matcher = compile(pattern, greedy, true).matcher(value);
  return matcher.find() ? value.slice(matcher.end()) : value;
}

/** The same at the end. The shortest match to the right is the shortest to the left of both read backwards. */
export function trimEnd(value: string, pattern: string, greedy: boolean): string {
  return backwards(trimStart(backwards(value), patternBackwards(pattern), greedy));
}

/** Replaces the first match, or all: the longest each, an empty one not right behind another. */
export function replace(value: string, pattern: string, replacement: string, all: boolean): string {
  const matcher = compile(pattern, true, false).matcher(value);
  let result = "";
  let copied = 0;
  let matched = false;
  while (matcher.find()) {
    const [start, end] = [matcher.start(), matcher.end()];
    if (matched && start === end && start === copied) continue;
    result += value.slice(copied, start) + replacement;
    copied = end;
    matched = true;
    if (!all) break;
  }
  return result + value.slice(copied);
}

function backwards(text: string): string {
  return [...text].reverse().join("");
}

/** An escape stays before what it escapes. */
function patternBackwards(pattern: string): string {
  const units = pattern.match(/\\[^]|[^]/gu) ?? [];
  return units.reverse().join("");
}
