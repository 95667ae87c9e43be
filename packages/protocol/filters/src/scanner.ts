import { parseError } from "./errors.ts";

export type TokenKind = "end" | "quoted" | "value" | "field" | "separator" | "operator" | "illegal";

export interface Token {
  kind: TokenKind;
  /** Index of its first character in the input. */
  position: number;
  /** As written, quotes included. */
  text: string;
}

const field = /[A-Za-z0-9_]/;
const operator = /[=!~]/;
const separator = /[,.]/;
const quote = /["/|]/;
const space = /\s/;
/** What a bare value may hold: all that is printable, up to a comma or a space. */
const value = /[^,\s\p{Cc}\p{Cf}\p{Cs}\p{Cn}]/u;
const escapes: Record<string, [count: number, digit: RegExp]> = {
  x: [2, /[0-9a-fA-F]/],
  u: [4, /[0-9a-fA-F]/],
  U: [8, /[0-9a-fA-F]/],
};

/** Splits a filter into tokens. After an operator the next bare word is a value, elsewhere a field. */
export class Scanner {
  readonly #input: string;
  #position = 0;
  #expectValue = false;

  constructor(input: string) {
    this.#input = input;
  }

  /** Where the next token is looked for. */
  get position(): number {
    return this.#position;
  }

  /** The next character, or "" at the end. */
  peek(): string {
    const code = this.#input.codePointAt(this.#position);
    return code === undefined ? "" : String.fromCodePoint(code);
  }

  /** @throws InvalidArgument for a quoted string that is broken */
  next(): Token {
    this.#run(space);
    const position = this.#position;
    const kind = this.#consume();
    return { kind, position, text: this.#input.slice(position, this.#position) };
  }

  #consume(): TokenKind {
    const char = this.peek();
    if (char === "") return "end";
    if (quote.test(char)) {
      this.#quoted(char);
      return "quoted";
    }
    if (separator.test(char)) {
      this.#position++;
      this.#expectValue = false;
      return "separator";
    }
    if (operator.test(char)) {
      this.#run(operator);
      this.#expectValue = true;
      return "operator";
    }
    if (this.#expectValue) {
      this.#run(value);
      this.#expectValue = false;
      return "value";
    }
    if (field.test(char)) {
      this.#run(field);
      return "field";
    }
    return "illegal";
  }

  #run(set: RegExp): void {
    for (let char = this.peek(); char !== "" && set.test(char); char = this.peek()) this.#position += char.length;
  }

  #quoted(mark: string): void {
    const start = this.#position;
    this.#position++;
    for (;;) {
      const char = this.peek();
      if (char === "" || char === "\n") throw parseError(this.#input, start, "quoted literal not terminated");
      this.#position += char.length;
      if (char === mark) return;
      if (char === "\\") this.#escape(mark, start);
    }
  }

  #escape(mark: string, start: number): void {
    const char = this.peek();
    this.#position += char.length;
    if (char !== "" && ("abfnrtv\\".includes(char) || char === mark)) return;
    const [count, digit] = /[0-7]/.test(char) ? ([2, /[0-7]/] as const) : (escapes[char] ?? [0, digitless]);
    if (count === 0) throw parseError(this.#input, start, "illegal escape sequence");
    for (let seen = 0; seen < count; seen++) {
      if (!digit.test(this.peek())) throw parseError(this.#input, start, "illegal numeric escape sequence");
      this.#position++;
    }
  }
}

const digitless = /(?!)/;
