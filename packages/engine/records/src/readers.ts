import { DataLoss } from "@longshore/errdefs";

/**
 * Reads one value of a record. Absent and `null` are the type's default, as for the decoder that Docker reads its
 * own records with; another type is refused.
 * @param at path of the value, such as `State.Health.Log[0]`
 * @throws DataLoss that names the path
 */
export interface Reader<T> {
  (value: unknown, at: string): T;
  /** An absent member stays absent. */
  readonly leftOut?: true;
}

/** One reader for each member of a type: a member that has none is an error of the compiler. */
export type Fields<T> = { readonly [K in keyof T]-?: Reader<Exclude<T[K], undefined>> };

function refuse(value: unknown, at: string, wanted: string): never {
  const found =
    value === null || value === undefined
      ? "missing"
      : `${Array.isArray(value) ? "a list" : typeof value === "object" ? "an object" : JSON.stringify(value)?.slice(0, 40)}`;
  throw new DataLoss(`${at === "" ? "the record" : at} is ${found}, not ${wanted}`);
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null;

export const text: Reader<string> = (value, at) =>
  isAbsent(value) ? "" : typeof value === "string" ? value : refuse(value, at, "text");

export const flag: Reader<boolean> = (value, at) =>
  isAbsent(value) ? false : typeof value === "boolean" ? value : refuse(value, at, "true or false");

interface Integer {
  min?: number;
  max?: number;
}

/** As wide as Go's int64 and uint64 unless it is said otherwise: limits such as "none" are written as the largest of these. */
export function integer({ min = -(2 ** 63), max = 2 ** 64 }: Integer = {}): Reader<number> {
  return (value, at) => {
    if (isAbsent(value)) return 0;
    if (typeof value !== "number" || !Number.isInteger(value)) return refuse(value, at, "a whole number");
    return value >= min && value <= max ? value : refuse(value, at, `a number from ${min} to ${max}`);
  };
}

/** @param fallback what absent is; an RFC 3339 time */
export function time(fallback: string): Reader<string> {
  return (value, at) => {
    if (isAbsent(value)) return fallback;
    return typeof value === "string" &&
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(value) &&
      !Number.isNaN(Date.parse(value))
      ? value
      : refuse(value, at, "a time");
  };
}

/** One of these words; absent, or empty, is the first. */
export function oneOf<T extends string>(...words: readonly [T, ...T[]]): Reader<T> {
  return (value, at) => {
    if (isAbsent(value) || value === "") return words[0];
    return (
      words.find((word) => word === value) ??
      refuse(value, at, `one of ${words.map((word) => JSON.stringify(word)).join(", ")}`)
    );
  };
}

/** A list; absent is an empty one. */
export function listOf<T>(read: Reader<T>): Reader<T[]> {
  return (value, at) => {
    if (isAbsent(value)) return [];
    return Array.isArray(value)
      ? value.map((each, index) => read(each, `${at}[${index}]`))
      : refuse(value, at, "a list");
  };
}

/** A list with a fixed number of members of one kind. */
export function tupleOf<T>(read: Reader<T>): Reader<[T, T]> {
  return (value, at) => {
    const [first, second, ...rest] = listOf(read)(value, at);
    if (rest.length > 0) return refuse(value, at, "a pair");
    return [first ?? read(undefined, at), second ?? read(undefined, at)];
  };
}

/** Members by names that anyone may choose, `__proto__` too; absent is none. */
export function mapOf<T>(read: Reader<T>): Reader<Record<string, T>> {
  return (value, at) => {
    const map: Record<string, T> = {};
    if (isAbsent(value)) return map;
    if (typeof value !== "object" || Array.isArray(value)) return refuse(value, at, "an object");
    for (const [name, member] of Object.entries(value as object)) {
      const given = read(member, at === "" ? name : `${at}.${name}`);
      if (name !== "__proto__") map[name] = given;
      else Object.defineProperty(map, name, { value: given, enumerable: true, writable: true, configurable: true });
    }
    return map;
  };
}

/** Absent is `null`. */
export function nullable<T>(read: Reader<T>): Reader<T | null> {
  return (value, at) => (isAbsent(value) ? null : read(value, at));
}

/** An absent member stays absent. */
export function optional<T>(read: Reader<T>): Reader<T> {
  return Object.assign((value: unknown, at: string) => read(value, at), { leftOut: true as const });
}

/** What has no default: absent is refused. @param check what else must hold, in words */
export function required<T>(read: Reader<T>, check: (value: T) => string | undefined = () => undefined): Reader<T> {
  return (value, at) => {
    if (isAbsent(value)) return refuse(value, at, "there");
    const given = read(value, at);
    const reason = check(given);
    if (reason !== undefined) throw new DataLoss(`${at} ${reason}`);
    return given;
  };
}

/** An object with these members, in this order; an absent one has all defaults, and unknown members are passed over. */
export function record<T extends object>(fields: Fields<T>): Reader<T> {
  const readers = Object.entries(fields) as [string, Reader<unknown>][];
  return (value, at) => {
    if (!isAbsent(value) && (typeof value !== "object" || Array.isArray(value))) return refuse(value, at, "an object");
    const given = (value ?? {}) as Record<string, unknown>;
    const out: Record<string, unknown> = {};
    for (const [name, read] of readers) {
      const member = Object.hasOwn(given, name) ? given[name] : undefined;
      if (read.leftOut === true && isAbsent(member)) continue;
      out[name] = read(member, at === "" ? name : `${at}.${name}`);
    }
    return out as T;
  };
}
