import { type Pattern, PatternTooLarge, compileRegExp, maxProgramSize, sizeOf } from "./reg-exp.ts";

/** Each takes a moment to compile; plain texts do not count. */
const maxExpressions = 256;

/**
 * Alternatives that a client gave, each of which Docker reads as an expression if it is one. They are compiled when
 * the first text is tested.
 */
export class RegExpSet implements Pattern {
  readonly #sources: readonly string[];
  #compiled: readonly Pattern[] | undefined;

  /** @throws PatternTooLarge when they are too many, or too large together */
  constructor(sources: readonly string[]) {
    const sizes = sources.map(sizeOf).filter((size) => size > 0);
    if (sizes.length > maxExpressions || sizes.reduce((sum, size) => sum + size, 0) > maxProgramSize)
      throw new PatternTooLarge();
    this.#sources = sources;
  }

  test(text: string): boolean {
    this.#compiled ??= this.#sources.flatMap((source) => {
      try {
        return [compileRegExp(source)];
      } catch {
        // As with Docker, what is no expression matches nothing.
        return [];
      }
    });
    return this.#compiled.some((pattern) => pattern.test(text));
  }
}
