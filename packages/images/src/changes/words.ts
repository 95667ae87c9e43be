import { InvalidArgument } from "@longshore/errdefs";

/** Looks up a variable; undefined when it is not set. */
export type Lookup = (name: string) => string | undefined;

/** Reads `$NAME`, `${NAME}`, `${NAME:-word}` and `${NAME:+word}` at `at`, the dollar sign. */
function variableAt(text: string, at: number, lookup: Lookup): { value: string; end: number } {
  const plain = /^\$([A-Za-z_][A-Za-z0-9_]*)/.exec(text.slice(at));
  if (plain !== null) return { value: lookup(plain[1] ?? "") ?? "", end: at + plain[0].length };
  const braced = /^\$\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+])([^}]*))?\}/.exec(text.slice(at));
  if (braced === null) {
    if (text[at + 1] === "{") throw new InvalidArgument(`failed to process "${text}": syntax error: bad substitution`);
    return { value: "$", end: at + 1 };
  }
  const [whole, name = "", operator = "", word = ""] = braced;
  const value = lookup(name);
  const isSet = operator.startsWith(":") ? value !== undefined && value !== "" : value !== undefined;
  const chosen = operator.endsWith("+") ? (isSet ? word : "") : operator.endsWith("-") && !isSet ? word : (value ?? "");
  return { value: chosen, end: at + whole.length };
}

/** Removes quotes and backslashes as a shell does, and puts variables in, except between single quotes. */
export function expandWord(text: string, lookup: Lookup): string {
  let result = "";
  let quote = "";
  for (let at = 0; at < text.length; ) {
    const character = text[at] ?? "";
    if (quote === "'") {
      if (character === "'") quote = "";
      else result += character;
      at += 1;
    } else if (character === "\\") {
      const next = text[at + 1] ?? "";
      result += quote === '"' && !['"', "\\", "$"].includes(next) ? character + next : next;
      at += 2;
    } else if (character === "'" || character === '"') {
      if (quote === character) quote = "";
      else if (quote === "") quote = character;
      else result += character;
      at += 1;
    } else if (character === "$") {
      const { value, end } = variableAt(text, at, lookup);
      result += value;
      at = end;
    } else {
      result += character;
      at += 1;
    }
  }
  if (quote !== "") throw new InvalidArgument(`failed to process "${text}": unexpected end of statement while looking for matching ${quote === '"' ? "double-quote" : "single-quote"}`);
  return result;
}

/** Splits at white space that is neither quoted nor escaped; quotes and backslashes stay. */
export function splitWords(text: string): string[] {
  return text.match(/(?:[^\s'"\\]|\\[\s\S]|'[^']*'|"(?:[^"\\]|\\[\s\S])*"|['"])+/g) ?? [];
}

/** A JSON list of strings, which means the exec form; undefined for everything else. */
export function execForm(text: string): string[] | undefined {
  if (!text.trimStart().startsWith("[")) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) && parsed.every((item) => typeof item === "string") ? parsed : undefined;
  } catch {
    return undefined;
  }
}
