declare const described: unique symbol;

/** Carries the type of the values that a shape lets through; nothing of it exists at run time. */
interface Describes<T> {
  readonly [described]?: T;
}

export interface ScalarShape {
  kind: "string" | "bool";
  go: string;
}
export interface IntShape {
  kind: "int";
  go: string;
  /** The kind of integer that a named type stands for. */
  as?: "uint32";
  /** Beyond a double's integers it is a bigint. */
  exact?: true;
}
export interface ListShape {
  kind: "list";
  go: string;
  element: Shape;
  /** How many elements are taken. */
  most: number;
  orString?: boolean;
  length?: number;
}
export interface MapShape {
  kind: "map";
  go: string;
  element: Shape;
  /** How many members are taken. */
  most: number;
}
export interface StructShape {
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

/**
 * How many elements a list has, or members a map, unless its shape says otherwise: Docker has no bounds, but what is done with each of
 * them for every event, list and record must stay small beside all else that the daemon does.
 */
const usualMost = 10_000;

/** For what is only handed on, such as words of a command: some more than the kernel starts a program with. */
export const manyWords = 200_000;

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
export function list<S extends Shape>(element: S, go = `[]${element.go}`, most = usualMost): Shape<Infer<S>[] | null> {
  return { kind: "list", go, element, most };
}

/** Height and width of a terminal: as many elements as that, whatever is given. */
export const size: Shape<[height: number, width: number] | null> = {
  kind: "list",
  go: "[2]uint",
  element: { kind: "int", go: "uint" },
  most: usualMost,
  length: 2,
};

/** A command: a list of strings, or one string that stands for a list of one. */
export const command: Shape<string[] | null> = {
  kind: "list",
  go: "[]string",
  element: text,
  most: manyWords,
  orString: true,
};

/** @param go type name in errors, where it is not that of a map to these elements */
export function map<S extends Shape>(
  element: S,
  go = `map[string]${element.go}`,
  most = usualMost,
): Shape<Record<string, Member<S>> | null> {
  return { kind: "map", go, element, most };
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
