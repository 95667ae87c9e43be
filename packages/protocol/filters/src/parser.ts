import { parseError } from "./errors.ts";
import { type Filter, type Operator, all, always, any, selector } from "./filter.ts";
import { unquote } from "./quote.ts";
import { Scanner, type Token } from "./scanner.ts";

class Parser {
  readonly #input: string;
  readonly #scanner: Scanner;

  constructor(input: string) {
    this.#input = input;
    this.#scanner = new Scanner(input);
  }

  selectors(): Filter {
    const selectors: Filter[] = [];
    for (;;) {
      selectors.push(this.#selector());
      const char = this.#scanner.peek();
      if (char === "") return all(selectors);
      if (char !== ",") throw this.#error(this.#scanner.position, `unexpected input: ${char}`);
      this.#scanner.next();
    }
  }

  #selector(): Filter {
    const path = this.#fieldpath();
    const char = this.#scanner.peek();
    if (char === "" || char === ",") return selector(path, "present", "");
    const operator = this.#operator();
    return selector(path, operator, this.#value(operator === "~="));
  }

  #fieldpath(): string[] {
    const path = [this.#field()];
    while (this.#scanner.peek() === ".") {
      this.#scanner.next();
      path.push(this.#field());
    }
    return path;
  }

  #field(): string {
    const token = this.#scanner.next();
    if (token.kind === "field") return token.text;
    if (token.kind === "quoted") return this.#unquote(token, false);
    throw this.#error(token.position, "expected field or quoted");
  }

  #operator(): Operator {
    const { kind, position, text } = this.#scanner.next();
    if (kind !== "operator") throw this.#error(position, 'expected an operator ("=="|"!="|"~=")');
    if (text === "==" || text === "!=" || text === "~=") return text;
    throw this.#error(position, `unsupported operator ${JSON.stringify(text)}`);
  }

  #value(isRegExp: boolean): string {
    const token = this.#scanner.next();
    if (token.kind === "value" || token.kind === "field") return token.text;
    if (token.kind === "quoted") return this.#unquote(token, isRegExp);
    throw this.#error(token.position, "expected value or quoted");
  }

  /** Only regular expressions may be quoted by `/` and `|`. */
  #unquote({ position, text }: Token, allowAlternatives: boolean): string {
    if (!allowAlternatives && !text.startsWith('"')) throw this.#error(position, "invalid quote encountered");
    const value = unquote(text);
    if (value === undefined) throw this.#error(position, "unquoting failed: invalid syntax");
    return value;
  }

  #error(position: number, problem: string): Error {
    return parseError(this.#input, position, problem);
  }
}

/**
 * Parses one filter: selectors that must all match. The empty filter matches all.
 * @throws InvalidArgument with containerd's message
 */
export function parse(filter: string): Filter {
  return filter === "" ? always : new Parser(filter).selectors();
}

/**
 * Parses the filters of a list call, of which one must match; none at all match everything.
 * @throws InvalidArgument with containerd's message
 */
export function parseAll(filters: readonly string[]): Filter {
  return filters.length === 0 ? always : any(filters.map(parse));
}
