import { parseWhole } from "./parse.ts";
import { type Json, JsonNumber, JsonObject } from "./value.ts";

/** As for `JSON.parse`. */
export type Reviver = (key: string, value: unknown, context?: { source?: string }) => unknown;

/** A string in a JSON text; one that has a backslash and is a member's name is told by its colon. */
const string = /"[^"\\]*(?:"|(?:\\[^][^"\\]*)+"(\s*:)?)/g;

function hasEscapedName(text: string): boolean {
  if (!text.includes("\\")) return false;
  string.lastIndex = 0;
  for (let found = string.exec(text); found !== null; found = string.exec(text))
    if (found[1] !== undefined) return true;
  return false;
}

/**
 * `JSON.parse` for documents from outside, of which the names of members matter. V8's own (of Node 26) takes a name with a backslash
 * for another one that it has seen in its place, and that ends with one: after `{"a":1,"\\":1}` the text `{"a":1,"\n":1}` has the member
 * `\`. It is asked only where it is right.
 * @param reviver is called for numbers at least
 * @throws SyntaxError, JsonError
 */
export function parsePlain(text: string, reviver?: Reviver): unknown {
  if (hasEscapedName(text)) return plain(parseWhole(text, true), reviver);
  // oxlint-disable-next-line no-restricted-properties -- this is the place
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
}

function plain(value: Json, reviver: Reviver | undefined): unknown {
  if (value instanceof JsonNumber) return numberOf(value.text, reviver);
  if (typeof value === "number") return numberOf(String(value), reviver);
  if (Array.isArray(value)) return value.map((element) => plain(element, reviver));
  if (!(value instanceof JsonObject)) return value;
  const out: Record<string, unknown> = {};
  for (const [name, member] of value) {
    const made = plain(member, reviver);
    if (name !== "__proto__") out[name] = made;
    else Object.defineProperty(out, name, { value: made, enumerable: true, writable: true, configurable: true });
  }
  return out;
}

function numberOf(source: string, reviver: Reviver | undefined): unknown {
  const value = Number(source);
  return reviver === undefined ? value : reviver("", value, { source });
}
