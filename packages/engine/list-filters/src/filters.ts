import { InvalidArgument } from "@longshore/errdefs";
import { parsePlain } from "@longshore/go-json";
import { PatternTooLarge, RegExpSet } from "@longshore/patterns";

/** Filters of a list request: each key with the set of its values. */
export class Filters {
  readonly #values: Map<string, Set<string>>;
  readonly #expressions = new Map<string, RegExpSet>();

  constructor(values: Map<string, Set<string>>) {
    this.#values = values;
  }

  /**
   * Reads the `filters` parameter: a map of key to list of strings, or of key to `{value: true}`.
   * @param accepted keys; any when omitted
   * @throws InvalidArgument `invalid filter …`
   */
  static parse(parameter: string, accepted?: readonly string[]): Filters {
    const values = new Map<string, Set<string>>();
    if (parameter === "") return new Filters(values);
    let parsed: unknown;
    try {
      parsed = parsePlain(parameter);
    } catch (error) {
      throw new InvalidArgument("invalid filter", { cause: error });
    }
    if (parsed === null) return new Filters(values);
    if (typeof parsed !== "object" || Array.isArray(parsed)) throw new InvalidArgument("invalid filter");
    for (const [key, member] of Object.entries(parsed)) values.set(key, readValues(member));
    const filters = new Filters(values);
    return accepted === undefined ? filters : filters.only(accepted);
  }

  /** @throws InvalidArgument `invalid filter 'x'` for a key that is not accepted */
  only(accepted: readonly string[]): this {
    const unknown = this.keys().find((key) => !accepted.includes(key));
    if (unknown !== undefined) throw new InvalidArgument(`invalid filter '${unknown}'`);
    return this;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  get(key: string): string[] {
    return [...(this.#values.get(key) ?? [])];
  }

  keys(): string[] {
    return [...this.#values.keys()];
  }

  /** Whether the key is absent or one of its values is exactly `value`. */
  exact(key: string, value: string): boolean {
    const wanted = this.#values.get(key);
    return wanted === undefined || wanted.size === 0 || wanted.has(value);
  }

  /** As `exact`, but a value also matches as a regular expression. @throws InvalidArgument for expressions beyond what is run here */
  match(key: string, value: string): boolean {
    return this.exact(key, value) || this.#expressionsOf(key).test(value);
  }

  #expressionsOf(key: string): RegExpSet {
    const known = this.#expressions.get(key);
    if (known !== undefined) return known;
    try {
      const made = new RegExpSet(this.get(key));
      this.#expressions.set(key, made);
      return made;
    } catch (error) {
      if (!(error instanceof PatternTooLarge)) throw error;
      throw new InvalidArgument(`invalid filter '${key}': ${error.message}`, { cause: error });
    }
  }

  /** As `exact`, but a value also matches as a prefix. */
  prefix(key: string, value: string): boolean {
    return this.exact(key, value) || this.get(key).some((wanted) => value.startsWith(wanted));
  }

  /** Whether all `key` and `key=value` forms hold for `labels`. */
  labels(key: string, labels: Record<string, string> | null | undefined): boolean {
    return this.get(key).every((wanted) => hasLabel(wanted, labels ?? {}));
  }

  /** @throws InvalidArgument unless the value is a boolean word or absent */
  bool(key: string, fallback: boolean): boolean {
    const wanted = this.#values.get(key);
    if (wanted === undefined || wanted.size === 0) return fallback;
    const yes = wanted.has("1") || wanted.has("true");
    const no = wanted.has("0") || wanted.has("false");
    if (yes === no) throw new InvalidArgument(`invalid filter '${key}=[${[...wanted].join(" ")}]'`);
    return yes;
  }
}

/** Whether one `key` or `key=value` form holds for `labels`. */
export function hasLabel(wanted: string, labels: Record<string, string>): boolean {
  const equals = wanted.indexOf("=");
  const key = equals < 0 ? wanted : wanted.slice(0, equals);
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  return value !== undefined && (equals < 0 || value === wanted.slice(equals + 1));
}

function readValues(member: unknown): Set<string> {
  if (Array.isArray(member)) {
    if (!member.every((value) => typeof value === "string")) throw new InvalidArgument("invalid filter");
    return new Set(member);
  }
  if (member === null || typeof member !== "object") throw new InvalidArgument("invalid filter");
  const entries = Object.entries(member);
  if (!entries.every(([, on]) => typeof on === "boolean")) throw new InvalidArgument("invalid filter");
  return new Set(entries.filter(([, on]) => on).map(([value]) => value));
}
