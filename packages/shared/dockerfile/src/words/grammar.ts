import { WordError } from "./word-error.ts";

/** A word as it was written: text, and the variables in it. */
export type Part = Text | Variable;

interface Text {
  kind: "text";
  text: string;
  /** Quoted or escaped text is never split at its spaces. */
  quoted: boolean;
}

/** `$NAME`, `${NAME}` or `${NAME<operation>}`. */
export interface Variable {
  kind: "variable";
  name: string;
  braces: boolean;
  operation?: Operation;
  /** Within quotes the value is not split at its spaces. */
  quoted: boolean;
}

type Operation =
  /** `-`, `+` and `?`; a colon before them makes an empty variable count as one that is not set. */
  | { kind: "condition"; sign: "-" | "+" | "?"; colon: boolean; word: Part[] }
  /** `#` and `%`; that they are doubled is seen in the expanded pattern only. */
  | { kind: "trim"; sign: "#" | "%"; pattern: Part[] }
  | { kind: "replace"; all: boolean; pattern: Part[]; replacement: Part[] };

export interface Grammar {
  /** `\` or, by the directive `escape`, a backtick. */
  escape: string;
  /** Keep the quotes in the text. */
  rawQuotes?: boolean;
  /** Keep the escape characters in the text. */
  rawEscapes?: boolean;
  /** Quotes are plain characters. */
  plainQuotes?: boolean;
}

const conditions = ["-", "+", "?"] as const;

/** How deep `${a:-${b:-…}}` may go: far beyond what anybody writes, far below what overflows a stack. */
const deepest = 200;

const digit = /^\p{Nd}$/u;
const letter = /^\p{L}$/u;
/** The parameters that a POSIX shell names by one character. */
const special = new Set("@*#?-$!0");

/**
 * Reads `word` by the rules of a Dockerfile's words, which are those of a shell's but for commands and arithmetic.
 * Throws WordError with BuildKit's words.
 */
export function parseWord(word: string, grammar: Grammar): Part[] {
  return new WordParser(word, grammar).parts(undefined, grammar.rawEscapes ?? false, 0);
}

class WordParser {
  private readonly characters: string[];
  private at = 0;
  private readonly grammar: Grammar;

  constructor(word: string, grammar: Grammar) {
    this.characters = [...word];
    this.grammar = grammar;
  }

  /** The character that comes next, without taking it. */
  private get next(): string | undefined {
    return this.characters[this.at];
  }

  /** Reads up to `stop`, which is taken, too, or to the end. */
  parts(stop: string | undefined, rawEscapes: boolean, depth: number): Part[] {
    if (depth > deepest) throw new WordError("substitutions are nested too deeply");
    const { escape, plainQuotes = false } = this.grammar;
    const parts: Part[] = [];
    for (let character = this.next; character !== undefined; character = this.next) {
      if (character === stop) {
        this.at++;
        return parts;
      }
      if (character === "$") parts.push(this.dollar(depth));
      else if (character === "<") addText(parts, this.lessThan(), true);
      else if (character === "'" && !plainQuotes) addText(parts, this.singleQuoted(), true);
      else if (character === '"' && !plainQuotes) this.doubleQuoted(parts, rawEscapes, depth);
      else if (character === escape) {
        this.at++;
        const escaped = this.next;
        if (rawEscapes) addText(parts, escape, true);
        // At the end it escapes nothing, and is dropped.
        if (escaped !== undefined) addText(parts, escaped, true);
        this.at++;
      } else {
        this.at++;
        addText(parts, character, false);
      }
    }
    if (stop !== undefined) throw new WordError(`unexpected end of statement while looking for matching ${stop}`);
    return parts;
  }

  private singleQuoted(): string {
    const end = this.characters.indexOf("'", this.at + 1);
    if (end < 0) {
      this.at = this.characters.length;
      throw new WordError("unexpected end of statement while looking for matching single-quote");
    }
    const text = this.characters.slice(this.at + 1, end).join("");
    this.at = end + 1;
    return this.grammar.rawQuotes ? `'${text}'` : text;
  }

  private doubleQuoted(parts: Part[], rawEscapes: boolean, depth: number): void {
    const { escape, rawQuotes = false } = this.grammar;
    addText(parts, rawQuotes ? '"' : "", true);
    this.at++;
    for (;;) {
      const character = this.next;
      if (character === undefined) {
        throw new WordError("unexpected end of statement while looking for matching double-quote");
      }
      if (character === "$") {
        parts.push({ ...this.dollar(depth), quoted: true });
        continue;
      }
      this.at++;
      if (character === '"') break;
      if (character !== escape) {
        addText(parts, character, true);
        continue;
      }
      if (rawEscapes) addText(parts, escape, true);
      const escaped = this.next;
      if (escaped === undefined) continue;
      if (escaped === '"' || escaped === "$" || escaped === escape) {
        this.at++;
        addText(parts, escaped, true);
      } else addText(parts, escape, true);
    }
    if (rawQuotes) addText(parts, '"', true);
  }

  /** `<<` and the blanks behind it belong to one word: that of a here-document. */
  private lessThan(): string {
    this.at++;
    if (this.next !== "<") return "<";
    const from = this.at++;
    while (/^[ \t\r]$/.test(this.characters[this.at] ?? "")) this.at++;
    return `<${this.characters.slice(from, this.at).join("")}`;
  }

  private dollar(depth: number): Part {
    this.at++;
    if (this.next !== "{") {
      const name = this.name();
      if (name === "") return { kind: "text", text: "$", quoted: false };
      return { kind: "variable", name, braces: false, quoted: false };
    }
    this.at++;
    if (this.next === undefined) throw new WordError("syntax error: missing '}'");
    if (this.next === "{" || this.next === "}" || this.next === ":") {
      throw new WordError("syntax error: bad substitution");
    }
    const variable: Variable = { kind: "variable", name: this.name(), braces: true, quoted: false };
    if (this.next === "}") {
      this.at++;
      return variable;
    }
    return { ...variable, operation: this.operation(depth) };
  }

  private operation(depth: number): Operation {
    // The end of input is shown as BuildKit shows it: the text of character -1.
    const take = (): string => this.characters[this.at++] ?? "\uFFFD";
    let sign = take();
    if (sign === "/") {
      const all = this.next === "/";
      if (all) this.at++;
      const pattern = this.upTo("/", "syntax error: missing '/' in ${}", true, depth);
      const replacement = this.upTo("}", "syntax error: missing '}'", true, depth);
      return { kind: "replace", all, pattern, replacement };
    }
    const colon = sign === ":";
    if (colon) sign = take();
    const unsupported = new WordError(`unsupported modifier (${colon ? ":" : ""}${sign}) in substitution`);
    if (sign === "#" || sign === "%") {
      if (colon) throw unsupported;
      return { kind: "trim", sign, pattern: this.upTo("}", "syntax error: missing '}'", true, depth) };
    }
    const condition = conditions.find((known) => known === sign);
    if (condition === undefined && !colon) throw unsupported;
    // Behind a colon the word is read before its sign is judged.
    const word = this.upTo("}", "syntax error: missing '}'", false, depth);
    if (condition === undefined) throw unsupported;
    return { kind: "condition", sign: condition, colon, word };
  }

  private upTo(stop: string, missing: string, rawEscapes: boolean, depth: number): Part[] {
    try {
      return this.parts(stop, rawEscapes, depth + 1);
    } catch (error) {
      if (error instanceof WordError && this.next === undefined) throw new WordError(missing);
      throw error;
    }
  }

  private name(): string {
    const from = this.at;
    const first = this.next;
    if (first === undefined) return "";
    if (digit.test(first)) while (this.next !== undefined && digit.test(this.next)) this.at++;
    else if (special.has(first)) this.at++;
    else
      while (this.next !== undefined && (this.next === "_" || letter.test(this.next) || digit.test(this.next)))
        this.at++;
    return this.characters.slice(from, this.at).join("");
  }
}

/** Joins text of one kind, so that a long word is a few parts. */
function addText(parts: Part[], text: string, quoted: boolean): void {
  const last = parts.at(-1);
  if (last?.kind === "text" && last.quoted === quoted) last.text += text;
  else parts.push({ kind: "text", text, quoted });
}
