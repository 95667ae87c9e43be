import { invalidCharacter, invalidEscape, JsonError, unexpectedEnd } from "./json-error.ts";
import { type Json, JsonNumber, JsonObject } from "./value.ts";

/** As many levels as Docker's decoder takes. */
const maxDepth = 10_000;

/** Values of one text: what they take in memory is bounded with that. All ports published one by one, by TCP and UDP, are 800,000. */
const maxValues = 1_000_000;

/** Of a string with many, read in one piece. */
const escapesAtOnce = 16;

type State = "value" | "element or end" | "name" | "name or end" | "string" | "colon" | "next" | "done";

const space = /[ \t\r\n]*/y;
// oxlint-disable-next-line no-control-regex
const plainCharacters = /[^"\\\u0000-\u001f]*/y;
const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const fourDigits = /[0-9a-fA-F]{4}/y;
const plainInteger = /^(?:-?[1-9][0-9]{0,14}|0)$/;
const literals: Record<string, { word: string; value: null | boolean }> = {
  t: { word: "true", value: true },
  f: { word: "false", value: false },
  n: { word: "null", value: null },
};
const escapes: Record<string, string> = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/**
 * Reads one JSON value from the beginning of a text, some pieces at a time, so that a large one does
 * not hold up everything else. Nothing in it recurses.
 */
export class JsonReader {
  readonly #text: string;
  #at = 0;
  #state: State = "value";
  #values = 0;
  #result: Json = null;
  readonly #open: (Json[] | JsonObject)[] = [];
  #name = "";
  /** What has been read of a string, and whether that is a member's name. */
  #string = "";
  #isName = false;

  readonly #keepsHalves: boolean;

  /** @param keepsHalves whether halves of surrogate pairs stay what they are, as for JavaScript, or become U+FFFD, as for Go */
  constructor(text: string, keepsHalves = false) {
    this.#text = text;
    this.#keepsHalves = keepsHalves;
  }

  get result(): Json {
    return this.#result;
  }

  /** Where the value ended. */
  get end(): number {
    return this.#at;
  }

  /** Reads at most `pieces` values, names and marks; says whether that was all. @throws JsonError */
  read(pieces: number): boolean {
    for (let left = pieces; left > 0 && this.#state !== "done"; left--) this.#piece();
    return this.#state === "done";
  }

  #piece(): void {
    if (this.#state === "string") return this.#goOnWithString();
    this.#skip(space);
    const character = this.#text[this.#at];
    if (character === undefined) throw unexpectedEnd();
    switch (this.#state) {
      case "element or end":
        return character === "]" ? this.#close() : this.#value(character);
      case "value":
        return this.#value(character);
      case "name or end":
        return character === "}" ? this.#close() : this.#readName(character);
      case "name":
        return this.#readName(character);
      case "colon":
        if (character !== ":") throw this.#invalid("after object key");
        return this.#mark("value");
      case "next":
        return this.#next(character);
      case "done":
    }
  }

  #value(character: string): void {
    const literal = literals[character];
    if (character === "{" || character === "[") return this.#begin(character === "{" ? new JsonObject() : []);
    if (character === '"') return this.#beginString(false);
    if (literal !== undefined) return this.#add(this.#literal(literal));
    if (character === "-" || (character >= "0" && character <= "9")) return this.#add(this.#number());
    throw this.#invalid("looking for beginning of value");
  }

  #readName(character: string): void {
    if (character !== '"') throw this.#invalid("looking for beginning of object key string");
    this.#beginString(true);
  }

  #next(character: string): void {
    const list = Array.isArray(this.#open.at(-1));
    if (character === ",") return this.#mark(list ? "value" : "name");
    if (character === (list ? "]" : "}")) return this.#close();
    throw this.#invalid(list ? "after array element" : "after object key:value pair");
  }

  #mark(next: State): void {
    this.#at++;
    this.#state = next;
  }

  #begin(value: Json[] | JsonObject): void {
    if (this.#open.length === maxDepth) throw new JsonError("exceeded max depth");
    this.#add(value);
    this.#open.push(value);
    this.#mark(Array.isArray(value) ? "element or end" : "name or end");
  }

  #close(): void {
    this.#open.pop();
    this.#mark(this.#open.length === 0 ? "done" : "next");
  }

  #add(value: Json): void {
    if (++this.#values > maxValues) throw new JsonError(`more than ${maxValues} values`);
    const parent = this.#open.at(-1);
    if (parent === undefined) this.#result = value;
    else if (Array.isArray(parent)) parent.push(value);
    else parent.add(this.#name, value);
    this.#state = parent === undefined ? "done" : "next";
  }

  #literal({ word, value }: { word: string; value: null | boolean }): null | boolean {
    for (const [index, expected] of [...word].entries()) {
      const character = this.#text[this.#at + index];
      if (character === undefined) throw unexpectedEnd();
      if (character !== expected)
        throw invalidCharacter(this.#text, this.#at + index, `in literal ${word} (expecting '${expected}')`);
    }
    this.#at += word.length;
    return value;
  }

  #number(): number | JsonNumber {
    const begin = this.#at;
    this.#skip(number);
    const read = this.#text.slice(begin, this.#at);
    // What has begun as a part of a number must go on as one.
    const unfinished =
      read === "" ? /-/y : /[eE]/.test(read) ? /(?!)/y : read.includes(".") ? /[eE][+-]?/y : /\.|[eE][+-]?/y;
    const end = this.#at;
    this.#skip(unfinished);
    if (this.#at > end) throw this.#at === this.#text.length ? unexpectedEnd() : this.#invalid("in numeric literal");
    return plainInteger.test(read) ? Number(read) : new JsonNumber(read);
  }

  #beginString(isName: boolean): void {
    this.#at++;
    this.#string = "";
    this.#isName = isName;
    this.#state = "string";
    this.#goOnWithString();
  }

  #goOnWithString(): void {
    for (let escapes = 0; escapes < escapesAtOnce; escapes++) {
      const begin = this.#at;
      this.#skip(plainCharacters);
      this.#string += this.#text.slice(begin, this.#at);
      const character = this.#text[this.#at];
      if (character === undefined) throw unexpectedEnd();
      if (character === '"') return this.#endString();
      if (character !== "\\") throw this.#invalid("in string");
      this.#string += this.#escape();
    }
  }

  #endString(): void {
    this.#at++;
    const text = this.#keepsHalves || this.#string.isWellFormed() ? this.#string : this.#string.toWellFormed();
    this.#string = "";
    if (!this.#isName) return this.#add(text);
    this.#name = text;
    this.#state = "colon";
  }

  #escape(): string {
    const next = this.#text[this.#at + 1] ?? "";
    const known = escapes[next];
    if (known !== undefined) {
      this.#at += 2;
      return known;
    }
    fourDigits.lastIndex = this.#at + 2;
    if (next !== "u" || !fourDigits.test(this.#text)) throw invalidEscape(this.#text, this.#at);
    const code = Number.parseInt(this.#text.slice(this.#at + 2, this.#at + 6), 16);
    this.#at += 6;
    return String.fromCharCode(code);
  }

  #skip(pattern: RegExp): void {
    pattern.lastIndex = this.#at;
    pattern.test(this.#text);
    this.#at = Math.max(this.#at, pattern.lastIndex);
  }

  #invalid(where: string): JsonError {
    return invalidCharacter(this.#text, this.#at, where);
  }
}
