import { quoteText } from "@longshore/go-values";
import { type Grammar, type Part, type Variable, parseWord } from "./grammar.ts";
import { replace, trimEnd, trimStart } from "./shell-pattern.ts";
import { WordError } from "./word-error.ts";

/** Where variables come from; undefined is "not set". */
export type Environment = (name: string) => string | undefined;

export interface Expansion {
  text: string;
  /** The text split at the spaces that stand outside of quotes, those of variables' values too; no empty words. */
  words: string[];
  /** The names that were asked for and set. */
  matched: Set<string>;
  /** The names that were asked for and not set. */
  unmatched: Set<string>;
}

export interface ExpandOptions extends Grammar {
  /** Leave a variable that is not set as it is written. */
  keepUnset?: boolean;
}

/** What all words of one file may become, in UTF-16 units: `ENV a=$a$a` thirty times over must not fill the memory. */
const longestExpansions = 16 << 20;

/** Expands the words of one file. */
export class Expander {
  private readonly options: ExpandOptions;
  private left: number;

  constructor(options: ExpandOptions, longest = longestExpansions) {
    this.options = options;
    this.left = longest;
  }

  /**
   * Expands the variables of `word`, as `ENV`, `COPY` and their like do.
   * Throws WordError `failed to process "<word>": …` with BuildKit's words.
   */
  expand(word: string, environment: Environment): Expansion {
    const run = new Run(environment, this.options.keepUnset ?? false, this.left);
    try {
      const pieces = run.pieces(parseWord(word, this.options));
      return {
        text: pieces.map((piece) => piece.text).join(""),
        words: splitWords(pieces),
        matched: run.matched,
        unmatched: run.unmatched,
      };
    } catch (error) {
      if (!(error instanceof WordError)) throw error;
      throw new WordError(`failed to process ${quoteText(word)}: ${error.message}`);
    } finally {
      this.left = run.left;
    }
  }
}

/** Expands one word by itself. @throws WordError */
export function expand(word: string, environment: Environment, options: ExpandOptions): Expansion {
  return new Expander(options).expand(word, environment);
}

interface Piece {
  text: string;
  quoted: boolean;
}

class Run {
  readonly matched = new Set<string>();
  readonly unmatched = new Set<string>();
  /** What may still be made. */
  left: number;
  private readonly environment: Environment;
  private readonly keepUnset: boolean;

  constructor(environment: Environment, keepUnset: boolean, left: number) {
    this.environment = environment;
    this.keepUnset = keepUnset;
    this.left = left;
  }

  pieces(parts: Part[]): Piece[] {
    return parts.map((part) => {
      const text = part.kind === "text" ? part.text : this.variable(part);
      this.left -= text.length;
      if (this.left < 0) throw new WordError("the variables of this file expand to too much");
      return { text, quoted: part.quoted };
    });
  }

  private text(parts: Part[]): string {
    return this.pieces(parts)
      .map((piece) => piece.text)
      .join("");
  }

  private variable({ name, braces, operation }: Variable): string {
    // What an operation needs is read first: so it counts as used, and fails, whatever the variable's value.
    const operands =
      operation === undefined
        ? []
        : operation.kind === "condition"
          ? [this.text(operation.word)]
          : operation.kind === "trim"
            ? [this.text(operation.pattern)]
            : [this.text(operation.pattern), this.text(operation.replacement)];
    const value = this.environment(name);
    (value === undefined ? this.unmatched : this.matched).add(name);
    if (value === undefined && this.keepUnset) return asWritten(name, braces, operation, operands);
    if (operation === undefined) return value ?? "";
    const [first = "", second = ""] = operands;
    switch (operation.kind) {
      case "condition": {
        const missing = value === undefined || (operation.colon && value === "");
        if (operation.sign === "-") return missing ? first : value;
        if (operation.sign === "+") return missing ? "" : first;
        if (!missing) return value;
        throw new WordError(`${name}: ${first || `is not allowed to be ${value === undefined ? "unset" : "empty"}`}`);
      }
      case "trim": {
        const greedy = first.startsWith(operation.sign);
        const pattern = greedy ? first.slice(1) : first;
        return operation.sign === "#" ? trimStart(value ?? "", pattern, greedy) : trimEnd(value ?? "", pattern, greedy);
      }
      case "replace":
        return replace(value ?? "", first, second, operation.all);
    }
  }
}

function asWritten(name: string, braces: boolean, operation: Variable["operation"], operands: string[]): string {
  if (!braces) return `$${name}`;
  if (operation === undefined) return `\${${name}}`;
  if (operation.kind === "condition") return `\${${name}${operation.colon ? ":" : ""}${operation.sign}${operands[0]}}`;
  if (operation.kind === "trim") return `\${${name}${operation.sign}${operands[0]}}`;
  return `\${${name}/${operands[0]}/${operands[1]}}`;
}

function splitWords(pieces: Piece[]): string[] {
  const words: string[] = [];
  let word = "";
  const end = (): void => {
    if (word !== "") words.push(word);
    word = "";
  };
  for (const { text, quoted } of pieces) {
    if (quoted) {
      word += text;
      continue;
    }
    const [first = "", ...others] = text.split(/\p{White_Space}/u);
    word += first;
    for (const other of others) {
      end();
      word = other;
    }
  }
  end();
  return words;
}
