import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { JsonNumber, JsonObject } from "./value.ts";

declare const described: unique symbol;

/** Carries the type of the values that a shape lets through; nothing of it exists at run time. */
interface Describes<T> {
  readonly [described]?: T;
}

interface ScalarShape {
  kind: "string" | "bool";
  go: string;
}
interface IntShape {
  kind: "int";
  go: string;
  /** The kind of integer that a named type stands for. */
  as?: "uint32";
  /** Beyond a double's integers it is a bigint. */
  exact?: true;
}
interface ListShape {
  kind: "list";
  go: string;
  element: Shape;
  orString?: boolean;
  length?: number;
}
interface MapShape {
  kind: "map";
  go: string;
  element: Shape;
}
interface StructShape {
  kind: "struct";
  go: string;
  root: string;
  fields: Record<string, Shape>;
  byLowerName: Map<string, string>;
  /** Members that are not there are Go's zero values. */
  filled?: boolean;
}
interface OwnShape {
  kind: "own";
  go: string;
  /** What reads itself: its errors are told as they are. */
  read: (value: unknown) => unknown;
}

/**
 * What a JSON value must look like; `go` is the type name that Docker's error messages show. `T` is what `unmarshal`
 * makes of it.
 */
export type Shape<T = unknown> = (ScalarShape | IntShape | ListShape | MapShape | StructShape | OwnShape) &
  Describes<T>;

/** A shape of an object with known members. */
export type Struct<T = unknown> = StructShape & Describes<T>;

/** The type of what a shape lets through: `null` is a list or map that was given as `null`. */
export type Infer<S extends Shape> = S extends Describes<infer T> ? T : never;

/** The members of a struct: one that is not named, or is `null` and no list or map, is absent. */
export type InferFields<F extends Record<string, Shape>> = { -readonly [K in keyof F]?: Infer<F[K]> };

/** As `InferFields`, of what has all of its members. */
type InferAll<F extends Record<string, Shape>> = { -readonly [K in keyof F]: Infer<F[K]> };

/** A struct that a map holds behind a pointer may be `null`; one without members or with all of them is not. */
type Member<S extends Shape> =
  | Infer<S>
  | ([S] extends [Struct<infer T>]
      ? Record<never, never> extends T
        ? keyof T extends never
          ? never
          : null
        : never
      : never);

export const text: Shape<string> = { kind: "string", go: "string" };
export const bool: Shape<boolean> = { kind: "bool", go: "bool" };
export const int: Shape<number> = { kind: "int", go: "int" };
export const int64: Shape<number> = { kind: "int", go: "int64" };
export const uint16: Shape<number> = { kind: "int", go: "uint16" };
export const uint64: Shape<number> = { kind: "int", go: "uint64" };
/** A number of any 64 bits: a bigint where a double would lose some. */
export const exactUint64: Shape<number | bigint> = { kind: "int", go: "uint64", exact: true };
export const duration: Shape<number> = { kind: "int", go: "time.Duration" };
/** A set: keys with empty objects. */
export const empty = struct("struct {}", {});

/** A named string type such as `mount.Type`. */
export function named(go: string): Shape<string> {
  return { kind: "string", go };
}

/** @param go type name in errors, where it is not that of a list of these elements */
export function list<S extends Shape>(element: S, go = `[]${element.go}`): Shape<Infer<S>[] | null> {
  return { kind: "list", go, element };
}

/** Height and width of a terminal: as many elements as that, whatever is given. */
export const size: Shape<[height: number, width: number] | null> = {
  kind: "list",
  go: "[2]uint",
  element: { kind: "int", go: "uint" },
  length: 2,
};

/** A command: a list of strings, or one string that stands for a list of one. */
export const command: Shape<string[] | null> = { kind: "list", go: "[]string", element: text, orString: true };

/** @param go type name in errors, where it is not that of a map to these elements */
export function map<S extends Shape>(
  element: S,
  go = `map[string]${element.go}`,
): Shape<Record<string, Member<S>> | null> {
  return { kind: "map", go, element };
}

/** @param root what stands before the path of a wrong member of a whole body: the type's own name, unless Docker reads it as a part of another */
export function struct<F extends Record<string, Shape>>(
  go: string,
  fields: F,
  root = go.slice(go.lastIndexOf(".") + 1),
): Struct<InferFields<F>> {
  return {
    kind: "struct",
    go,
    root,
    fields,
    byLowerName: new Map(Object.keys(fields).map((name) => [name.toLowerCase(), name])),
  };
}

/** As `struct`, with every member there afterwards: what Docker shows in full, and nobody need ask for twice. */
export function filled<F extends Record<string, Shape>>(go: string, fields: F): Struct<InferAll<F>> {
  const { kind, root, byLowerName } = struct(go, fields);
  return { kind, go, root, fields, byLowerName, filled: true };
}

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (value instanceof JsonNumber) return "number";
  return typeof value === "boolean" ? "bool" : typeof value;
}

/** The way to a value from the root, from its end on. */
interface Path {
  name: string;
  parent: Path | undefined;
}

function pointer({ name, parent }: Path): string {
  return parent === undefined ? name : `${pointer(parent)}.${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function mismatch(value: unknown, shape: Shape, path: Path): InvalidArgument {
  const number = value instanceof JsonNumber ? value.text : String(value);
  const shown = shape.kind === "int" && jsonKind(value) === "number" ? `number ${number}` : jsonKind(value);
  // A command reads itself, and knows nothing of where it is.
  if (shape.kind === "list" && shape.orString === true)
    return new InvalidArgument(`json: cannot unmarshal ${shown} into Go value of type string`);
  // What ends like a list's element is called no field.
  const where =
    path.parent === undefined
      ? "Go value"
      : /^\d+$/.test(path.name)
        ? pointer(path)
        : `Go struct field ${pointer(path)}`;
  return new InvalidArgument(`json: cannot unmarshal ${shown} into ${where} of type ${shape.go.replace(/^\*/, "")}`);
}

/**
 * Reads a parsed JSON value as `shape`: field names match in any case, unknown ones are dropped,
 * `null` leaves a scalar out and empties a list or map.
 * @throws InvalidArgument with the text of Go's JSON decoder
 */
export function unmarshal<T>(shape: Shape<T>, value: unknown): T | undefined {
  return decodeAt(shape, value, { name: shape.kind === "struct" ? shape.root : "", parent: undefined }, undefined) as
    | T
    | undefined;
}

/** As `unmarshal`, for a request's body. @throws InvalidArgument `invalid JSON: …` */
export function decode<T>(shape: Shape<T>, value: unknown): T | undefined {
  try {
    return unmarshal(shape, value);
  } catch (error) {
    throw new InvalidArgument(`invalid JSON: ${messageOf(error)}`, { cause: error });
  }
}

/** @param before what the same member was earlier in its object: structs and maps go on from it, as with Go */
function decodeAt(shape: Shape, value: unknown, path: Path, before: unknown): unknown {
  if (value === null || value === undefined) return shape.kind === "list" || shape.kind === "map" ? null : undefined;
  switch (shape.kind) {
    case "string":
    case "bool":
      if (typeof value !== (shape.kind === "bool" ? "boolean" : shape.kind)) throw mismatch(value, shape, path);
      return value;
    case "int":
      return integer(shape, value, path);
    case "list":
      return decodeList(shape, value, path);
    case "map":
    case "struct":
      if (typeof value !== "object" || Array.isArray(value) || value instanceof JsonNumber)
        throw mismatch(value, shape, path);
      return decodeObject(shape, value, path, (before ?? {}) as Record<string, unknown>);
    case "own":
      return shape.read(value);
  }
}

/** What Go's integers hold: a duration is an `int64`. */
function holds(go: string, value: bigint): boolean {
  const [, unsigned, bits = "64"] = /^(u?)int(\d*)$/.exec(go) ?? ["", "", "64"];
  const size = Number(bits || "64");
  return (unsigned === "u" ? BigInt.asUintN(size, value) : BigInt.asIntN(size, value)) === value;
}

function integer(shape: IntShape, value: unknown, path: Path): number | bigint {
  const text = value instanceof JsonNumber ? value.text : undefined;
  const whole =
    text === undefined ? Number.isInteger(value) : /^-?\d+$/.test(text) && (text !== "-0" || !shape.go.startsWith("u"));
  if (!whole || !holds(shape.as ?? shape.go, BigInt(text ?? (value as number)))) throw mismatch(value, shape, path);
  if (shape.exact === true && text !== undefined && !Number.isSafeInteger(Number(text))) return BigInt(text);
  return text === undefined ? (value as number) : Number(text) + 0;
}

function decodeList(shape: ListShape, value: unknown, path: Path): unknown[] {
  if (shape.orString === true && typeof value === "string") return [value];
  // Go tries a string last, so that is what it tells of.
  if (
    !Array.isArray(value) ||
    (shape.orString === true && !value.every((element) => element === null || typeof element === "string"))
  )
    throw mismatch(value, shape, path);
  const elements =
    shape.length === undefined
      ? value
      : Array.from({ length: shape.length }, (_, index): unknown => value[index] ?? null);
  return elements.map(
    (element: unknown, index) =>
      decodeAt(shape.element, element, { name: String(index), parent: path }, undefined) ?? zero(shape.element),
  );
}

function membersOf(value: object): Iterable<[string, unknown]> {
  return value instanceof JsonObject ? value.members : Object.entries(value);
}

function decodeObject(
  shape: MapShape | StructShape,
  value: object,
  path: Path,
  out: Record<string, unknown>,
): Record<string, unknown> {
  for (const [key, member] of membersOf(value)) {
    const here: Path = { name: key, parent: path };
    if (shape.kind === "map") {
      define(out, key, decodeAt(shape.element, member, here, undefined) ?? zeroMember(shape.element));
      continue;
    }
    const name = Object.hasOwn(shape.fields, key) ? key : shape.byLowerName.get(key.toLowerCase());
    const field = name === undefined ? undefined : shape.fields[name];
    if (name === undefined || field === undefined) continue;
    const decoded = decodeAt(field, member, here, out[name]);
    // Null leaves a scalar as it was, and takes what lies behind a pointer away.
    if (decoded !== undefined) out[name] = decoded;
    else if (field.kind === "struct") delete out[name];
  }
  if (shape.kind === "struct" && shape.filled === true) fill(shape, out);
  return out;
}

function fill({ fields }: StructShape, out: Record<string, unknown>): void {
  for (const [name, field] of Object.entries(fields)) out[name] ??= zero(field);
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
      return decodeObject(shape, {}, { name: "", parent: undefined }, {});
    default:
      return null;
  }
}

/** `__proto__` is a key like any other. */
function define(out: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== "__proto__") out[key] = value;
  else Object.defineProperty(out, key, { value, enumerable: true, writable: true, configurable: true });
}
