import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { replaceMatches, trimPrefix, trimSuffix } from "./pattern.ts";
import type { EscapeToken } from "./words.ts";

/** Looks up a variable; undefined when it is not set. */
export type Lookup = (name: string) => string | undefined;

/** Substitutions in substitutions deeper than this are no honest text. */
const maxDepth = 200;

const isLetter = (character: string): boolean => /^[\p{L}\p{Nd}_]$/u.test(character);
const endOfText = "\uFFFD";

/** The words that an expansion makes, and all of it as one. */
interface Expanded {
  text: string;
  words: string[];
}

/** Gathers words: white space parts them, unless it was quoted. */
class Words {
  readonly all: string[] = [];
  #current: string | undefined;

  add(text: string, quoted: boolean): void {
    for (const character of text) {
      if (quoted || !/\s/.test(character)) this.#current = (this.#current ?? "") + character;
      else this.end();
    }
  }

  end(): void {
    if (this.#current !== undefined && this.#current !== "") this.all.push(this.#current);
    this.#current = undefined;
  }
}

/** One text that is read from its beginning to its end. */
class Expansion {
  readonly #characters: readonly string[];
  readonly #lookup: Lookup;
  readonly #escape: EscapeToken;
  #at = 0;
  #depth = 0;

  constructor(text: string, lookup: Lookup, escape: EscapeToken) {
    this.#characters = [...text];
    this.#lookup = lookup;
    this.#escape = escape;
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #next(): string | undefined {
    return this.#characters[this.#at++];
  }

  /** Up to `stop`, or the end. @param raw whether escapes stay, for patterns */
  run(stop: string | undefined, raw: boolean): Expanded {
    let text = "";
    const words = new Words();
    for (let character = this.#peek(); character !== undefined; character = this.#peek()) {
      if (character === stop) {
        this.#at += 1;
        words.end();
        return { text, words: words.all };
      }
      let piece: string;
      let quoted = true;
      if (character === "'") piece = this.#singleQuoted();
      else if (character === '"') piece = this.#doubleQuoted(raw);
      else if (character === "$") {
        piece = this.#dollar();
        quoted = false;
      } else if (character === this.#escape) {
        this.#at += 1;
        piece = (raw ? character : "") + (this.#next() ?? "");
      } else {
        this.#at += 1;
        piece = character;
        quoted = false;
      }
      text += piece;
      words.add(piece, quoted);
    }
    if (stop !== undefined) throw new InvalidArgument(`unexpected end of statement while looking for matching ${stop}`);
    words.end();
    return { text, words: words.all };
  }

  #singleQuoted(): string {
    const end = this.#characters.indexOf("'", this.#at + 1);
    if (end < 0) throw new InvalidArgument("unexpected end of statement while looking for matching single-quote");
    const text = this.#characters.slice(this.#at + 1, end).join("");
    this.#at = end + 1;
    return text;
  }

  #doubleQuoted(raw: boolean): string {
    this.#at += 1;
    let text = "";
    for (let character = this.#peek(); character !== undefined; character = this.#peek()) {
      if (character === "$") {
        text += this.#dollar();
        continue;
      }
      this.#at += 1;
      if (character === '"') return text;
      if (character !== this.#escape) {
        text += character;
        continue;
      }
      if (raw) text += character;
      const escaped = this.#peek();
      if (escaped === undefined) break;
      if (escaped === '"' || escaped === "$" || escaped === this.#escape) {
        this.#at += 1;
        text += escaped;
      } else text += character;
    }
    throw new InvalidArgument("unexpected end of statement while looking for matching double-quote");
  }

  /** A name, a number, one of the shell's own parameters, or nothing. */
  #name(): string {
    const first = this.#peek() ?? "";
    if (/^[@*#?$!-]$/.test(first)) {
      this.#at += 1;
      return first;
    }
    const belongs = /^\p{Nd}$/u.test(first) ? (character: string) => /^\p{Nd}$/u.test(character) : isLetter;
    const start = this.#at;
    while (belongs(this.#peek() ?? "")) this.#at += 1;
    return this.#characters.slice(start, this.#at).join("");
  }

  #dollar(): string {
    this.#at += 1;
    if (this.#peek() !== "{") {
      const name = this.#name();
      return name === "" ? "$" : (this.#lookup(name) ?? "");
    }
    this.#at += 1;
    const first = this.#peek();
    if (first === undefined) throw new InvalidArgument("syntax error: missing '}'");
    if (first === "{" || first === "}" || first === ":") throw new InvalidArgument("syntax error: bad substitution");
    if (++this.#depth > maxDepth) throw new InvalidArgument("syntax error: substitutions are nested too deeply");
    try {
      return this.#braced();
    } finally {
      this.#depth -= 1;
    }
  }

  /** What follows `${`. */
  #braced(): string {
    const name = this.#name();
    let operator = this.#next() ?? endOfText;
    if (operator === "}") return this.#lookup(name) ?? "";
    if (operator === "/") return this.#replaced(name);
    const orEmpty = operator === ":";
    if (orEmpty) operator = this.#next() ?? endOfText;
    const shown = `${orEmpty ? ":" : ""}${operator}`;
    const isPattern = operator === "#" || operator === "%";
    // Behind a colon the word is read before the operator is judged.
    if ((isPattern && orEmpty) || (!orEmpty && !"+-?#%".includes(operator)))
      throw new InvalidArgument(`unsupported modifier (${shown}) in substitution`);
    const word = this.#until("}", isPattern, "syntax error: missing '}'");
    const value = this.#lookup(name);
    const given = orEmpty && value === "" ? undefined : value;
    if (operator === "-") return given ?? word;
    if (operator === "+") return given === undefined ? "" : word;
    if (operator === "?") {
      if (given !== undefined) return given;
      throw new InvalidArgument(
        `${name}: ${word || `is not allowed to be ${value === undefined ? "unset" : "empty"}`}`,
      );
    }
    if (!isPattern) throw new InvalidArgument(`unsupported modifier (${shown}) in substitution`);
    const longest = word.startsWith(operator);
    const pattern = longest ? word.slice(1) : word;
    return this.#matched(pattern, () => (operator === "#" ? trimPrefix : trimSuffix)(pattern, value ?? "", longest));
  }

  #replaced(name: string): string {
    const all = this.#peek() === "/";
    if (all) this.#at += 1;
    const pattern = this.#until("/", true, "syntax error: missing '/' in ${}");
    const replacement = this.#until("}", true, "syntax error: missing '}'");
    return this.#matched(pattern, () => replaceMatches(pattern, replacement, this.#lookup(name) ?? "", all));
  }

  #matched(pattern: string, work: () => string): string {
    try {
      return work();
    } catch (error) {
      throw new InvalidArgument(`invalid pattern (${pattern}) in substitution: ${messageOf(error)}`, { cause: error });
    }
  }

  #until(stop: string, raw: boolean, missing: string): string {
    try {
      return this.run(stop, raw).text;
    } catch (error) {
      throw this.#peek() === undefined ? new InvalidArgument(missing, { cause: error }) : error;
    }
  }
}

/** Bytes that the expansions of one request may make: variables that double each other would fill the memory. */
const maxExpanded = 4 << 20;

/** Expands texts as a shell does, variables, quotes and escapes. */
export class Expander {
  readonly #escape: EscapeToken;
  #left = maxExpanded;

  constructor(escape: EscapeToken) {
    this.#escape = escape;
  }

  /** As one word, white space and all. @throws InvalidArgument in Docker's words */
  word(text: string, lookup: Lookup): string {
    return this.#expand(text, lookup).text;
  }

  /** As words, since values of variables part at white space, too. @throws InvalidArgument in Docker's words */
  words(text: string, lookup: Lookup): string[] {
    return this.#expand(text, lookup).words;
  }

  #expand(text: string, lookup: Lookup): Expanded {
    const counted: Lookup = (name) => {
      const value = lookup(name);
      this.#left -= value?.length ?? 0;
      if (this.#left < 0) throw new InvalidArgument(`expands to more than ${maxExpanded} bytes`);
      return value;
    };
    try {
      return new Expansion(text, counted, this.#escape).run(undefined, false);
    } catch (error) {
      throw new InvalidArgument(`failed to process ${JSON.stringify(text)}: ${messageOf(error)}`, { cause: error });
    }
  }
}
