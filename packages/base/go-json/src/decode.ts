import { setImmediate } from "node:timers/promises";
import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { mismatch, type Path, pointer } from "./mismatch.ts";
import { scalar } from "./scalar.ts";
import type { ListShape, MapShape, Shape, StructShape } from "./shape.ts";
import { JsonNumber, JsonObject } from "./value.ts";

/** Elements and members that are decoded before others have their turn: some milliseconds' work. */
const piecesPerTurn = 2000;

/** Work that can be interrupted wherever it yields. */
type Steps<T> = Generator<void, T, void>;

/**
 * Reads a parsed JSON value as `shape`: field names match in any case, unknown ones are dropped,
 * `null` leaves a scalar out and empties a list or map.
 * @throws InvalidArgument with the text of Go's JSON decoder, and for more than a list or map may have
 */
export function unmarshal<T>(shape: Shape<T>, value: unknown): T | undefined {
  const steps = begin(shape, value);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value as T | undefined;
  }
}

/** As `unmarshal`, for a value of any size, without holding up others. */
export async function unmarshalLong<T>(shape: Shape<T>, value: unknown): Promise<T | undefined> {
  const steps = begin(shape, value);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value as T | undefined;
    await setImmediate();
  }
}

/** As `unmarshal`, for a request's body. @throws InvalidArgument `invalid JSON: …` */
export function decode<T>(shape: Shape<T>, value: unknown): T | undefined {
  try {
    return unmarshal(shape, value);
  } catch (error) {
    throw new InvalidArgument(`invalid JSON: ${messageOf(error)}`, { cause: error });
  }
}

function begin(shape: Shape, value: unknown): Steps<unknown> {
  const root: Path = { name: shape.kind === "struct" ? shape.root : "", parent: undefined };
  return new Decoder().value(shape, value, root, undefined);
}

class Decoder {
  #left = piecesPerTurn;
  /** Of maps that have been read; an object may name one again and again. */
  readonly #members = new WeakMap<object, number>();

  /** @param before what the same member was earlier in its object: structs and maps go on from it, as with Go */
  *value(shape: Shape, value: unknown, path: Path, before: unknown): Steps<unknown> {
    if (value === null || value === undefined) return shape.kind === "list" || shape.kind === "map" ? null : undefined;
    switch (shape.kind) {
      case "list":
        return yield* this.#list(shape, value, path);
      case "map":
      case "struct": {
        if (typeof value !== "object" || Array.isArray(value) || value instanceof JsonNumber)
          throw mismatch(value, shape, path);
        const out = (before ?? {}) as Record<string, unknown>;
        return yield* shape.kind === "map" ? this.#map(shape, value, path, out) : this.#struct(shape, value, path, out);
      }
      case "own":
        return shape.read(value);
      default:
        return scalar(shape, value, path);
    }
  }

  *#list(shape: ListShape, value: unknown, path: Path): Steps<unknown[]> {
    if (shape.orString === true && typeof value === "string") return [value];
    if (!Array.isArray(value)) throw mismatch(value, shape, path);
    this.#check(shape, value.length, path);
    // Go tries a string last, so that is what it tells of.
    if (shape.orString === true && !value.every((element) => element === null || typeof element === "string"))
      throw mismatch(value, shape, path);
    const out: unknown[] = [];
    for (let index = 0; index < (shape.length ?? value.length); index++) {
      const here: Path = { name: String(index), parent: path };
      out.push((yield* this.#member(shape.element, value[index] ?? null, here)) ?? zero(shape.element));
    }
    return out;
  }

  *#map(shape: MapShape, value: object, path: Path, out: Record<string, unknown>): Steps<Record<string, unknown>> {
    let count = this.#members.get(out) ?? 0;
    for (const [key, member] of membersOf(value)) {
      this.#check(shape, ++count, path);
      define(
        out,
        key,
        (yield* this.#member(shape.element, member, { name: key, parent: path })) ?? zeroMember(shape.element),
      );
    }
    this.#members.set(out, count);
    return out;
  }

  *#struct(
    shape: StructShape,
    value: object,
    path: Path,
    out: Record<string, unknown>,
  ): Steps<Record<string, unknown>> {
    for (const [key, member] of membersOf(value)) {
      const name = Object.hasOwn(shape.fields, key) ? key : shape.byLowerName.get(key.toLowerCase());
      const field = name === undefined ? undefined : shape.fields[name];
      if (name === undefined || field === undefined) {
        yield* this.#turn();
        continue;
      }
      const decoded = yield* this.#member(field, member, { name: key, parent: path }, out[name]);
      // Null leaves a scalar as it was, and takes what lies behind a pointer away.
      if (decoded !== undefined && (decoded !== null || field.leftOut !== true)) out[name] = decoded;
      else if (decoded === null || field.kind === "struct") delete out[name];
    }
    if (shape.filled === true) fill(shape, out);
    return out;
  }

  *#member(shape: Shape, value: unknown, path: Path, before?: unknown): Steps<unknown> {
    yield* this.#turn();
    return yield* this.value(shape, value, path, before);
  }

  *#turn(): Steps<void> {
    if (--this.#left > 0) return;
    this.#left = piecesPerTurn;
    yield;
  }

  #check({ kind, most }: ListShape | MapShape, count: number, path: Path): void {
    if (count > most)
      throw new InvalidArgument(
        `more than ${most} ${kind === "list" ? "elements" : "members"}${path.parent === undefined ? "" : ` in ${pointer(path)}`}`,
      );
  }
}

function membersOf(value: object): Iterable<[string, unknown]> {
  return value instanceof JsonObject ? value : Object.entries(value);
}

function fill({ fields }: StructShape, out: Record<string, unknown>): Record<string, unknown> {
  for (const [name, field] of Object.entries(fields)) out[name] ??= zero(field);
  return out;
}

/** What `null` is as a map's value: one of a struct with members lies behind a pointer. */
function zeroMember(shape: Shape): unknown {
  const isPointer = shape.kind === "struct" && shape.filled !== true && Object.keys(shape.fields).length > 0;
  return isPointer ? null : zero(shape);
}

/** Go's zero value, which `null` is as a list's element: a struct has no members, or those of its own zero value. */
function zero(shape: Shape): unknown {
  switch (shape.kind) {
    case "string":
      return "";
    case "bool":
      return false;
    case "int":
      return 0;
    case "struct":
      return shape.filled === true ? fill(shape, {}) : {};
    default:
      return null;
  }
}

/** `__proto__` is a key like any other. */
function define(out: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== "__proto__") out[key] = value;
  else Object.defineProperty(out, key, { value, enumerable: true, writable: true, configurable: true });
}
