declare const described: unique symbol;

/** Carries the type of the values that a shape lets through; nothing of it exists at run time. */
interface Describes<T> {
  readonly [described]?: T;
}

/** How a document that is written shows a member. */
interface Written {
  go: string;
  /** It is left out when it is empty; a list or map that is given as `null` is absent, too. */
  leftOut?: true;
  /** It is `null` when nothing was said. */
  pointer?: true;
}

export interface ScalarShape extends Written {
  kind: "string" | "bool";
}
export interface IntShape extends Written {
  kind: "int";
  /** The kind of integer that a named type stands for. */
  as?: "uint32";
  /** Beyond a double's integers it is a bigint. */
  exact?: true;
}
export interface ListShape extends Written {
  kind: "list";
  element: Shape;
  /** How many elements are taken. */
  most: number;
  orString?: boolean;
  length?: number;
}
export interface MapShape extends Written {
  kind: "map";
  element: Shape;
  /** How many members are taken. */
  most: number;
}
export interface StructShape extends Written {
  kind: "struct";
  root: string;
  fields: Fields;
  byLowerName: Map<string, string>;
  /** Members that are not there are Go's zero values. */
  filled?: boolean;
}
interface OwnShape extends Written {
  kind: "own";
  /** What reads itself: its errors are told as they are. */
  read: (value: unknown) => unknown;
}

/**
 * What a JSON value must look like; `go` is the type name that Docker's error messages show. `T` is what `unmarshal`
 * makes of it.
 */
export type Shape<T = unknown> = (ScalarShape | IntShape | ListShape | MapShape | StructShape | OwnShape) &
  Describes<T>;

/** The members of a struct, in the order in which Docker writes them. */
export type Fields = Record<string, Shape>;

/** The shape of one value that holds no others. */
export type Scalar<T> = (ScalarShape | IntShape) & Describes<T>;
export interface ListOf<S extends Shape> extends ListShape, Describes<Infer<S>[] | null> {
  element: S;
}
interface TupleOf<S extends Shape> extends ListShape, Describes<[Infer<S>, Infer<S>] | null> {
  element: S;
  length: 2;
}
export interface MapOf<S extends Shape> extends MapShape, Describes<Record<string, Member<S>> | null> {
  element: S;
}
/** `T`: what is read of it. */
export interface StructOf<F extends Fields, T = InferFields<F>> extends StructShape, Describes<T> {
  fields: F;
}

/** The type of what a shape lets through: `null` is a list or map that was given as `null`. */
export type Infer<S extends Shape> = S extends Describes<infer T> ? T : never;

/** The members of a struct: one that is not named is absent, and so is one that is `null` but for lists and maps that documents show empty. */
export type InferFields<F extends Fields> = keyof F extends never
  ? Record<string, never>
  : { -readonly [K in keyof F]?: F[K] extends { leftOut: true } ? NonNullable<Infer<F[K]>> : Infer<F[K]> };

/** As `InferFields`, of what has all of its members. */
type InferAll<F extends Fields> = { -readonly [K in keyof F]: Infer<F[K]> };

/** A struct that a map holds behind a pointer may be `null`; one without members or with all of them is not. */
type Member<S extends Shape> =
  S extends StructOf<infer F> ? InferFields<F> | (keyof F extends never ? never : null) : Infer<S>;

/**
 * How many elements a list has, or members a map, unless its shape says otherwise: Docker has no bounds, but what is done with each of
 * them for every event, list and record must stay small beside all else that the daemon does.
 */
const usualMost = 10_000;

/** For what is only handed on, such as words of a command: some more than the kernel starts a program with. */
export const manyWords = 200_000;

export const text: Scalar<string> = { kind: "string", go: "string" };
export const bool: Scalar<boolean> = { kind: "bool", go: "bool" };
export const int: Scalar<number> = { kind: "int", go: "int" };
export const int64: Scalar<number> = { kind: "int", go: "int64" };
export const uint16: Scalar<number> = { kind: "int", go: "uint16" };
export const uint64: Scalar<number> = { kind: "int", go: "uint64" };
/** A number of any 64 bits: a bigint where a double would lose some. */
export const exactUint64: Scalar<number | bigint> = { kind: "int", go: "uint64", exact: true };
export const duration: Scalar<number> = { kind: "int", go: "time.Duration" };
/** Permissions, as a number. */
export const fileMode: Scalar<number> = { kind: "int", go: "fs.FileMode", as: "uint32" };
/** A set: keys with empty objects. */
export const empty = struct("struct {}", {});

/** A named string type such as `mount.Type`; that it is one of `T` is for whoever uses it to check. */
export function named<T extends string = string>(go: string): Scalar<T> {
  return { kind: "string", go };
}

/** @param go type name in errors, where it is not that of a list of these elements */
export function list<S extends Shape>(element: S, go = `[]${element.go}`, most = usualMost): ListOf<S> {
  return { kind: "list", go, element, most };
}

/** Height and width of a terminal: as many elements as that, whatever is given. */
export const size: TupleOf<Scalar<number>> = {
  kind: "list",
  go: "[2]uint",
  element: { kind: "int", go: "uint" },
  most: usualMost,
  length: 2,
};

/** A command: a list of strings, or one string that stands for a list of one. */
export const command: ListOf<Scalar<string>> = {
  kind: "list",
  go: "[]string",
  element: text,
  most: manyWords,
  orString: true,
};

/** @param go type name in errors, where it is not that of a map to these elements */
export function map<S extends Shape>(element: S, go = `map[string]${element.go}`, most = usualMost): MapOf<S> {
  return { kind: "map", go, element, most };
}

/** @param root what stands before the path of a wrong member of a whole body: the type's own name, unless Docker reads it as a part of another */
export function struct<F extends Fields>(go: string, fields: F, root = go.slice(go.lastIndexOf(".") + 1)): StructOf<F> {
  return {
    kind: "struct",
    go,
    root,
    fields,
    byLowerName: new Map(Object.keys(fields).map((name) => [name.toLowerCase(), name])),
  };
}

/** A member that documents leave out when it is empty: Go's `omitempty`. */
export function leftOut<S extends Shape>(shape: S): S & { leftOut: true } {
  return { ...shape, leftOut: true };
}

/** A member that documents show as `null` when nothing was said: a pointer of Go's. */
export function pointer<S extends Shape>(shape: S): S & { pointer: true } {
  return { ...shape, pointer: true };
}

/** As `struct`, with every member there afterwards: what Docker shows in full, and nobody need ask for twice. */
export function filled<F extends Fields>(go: string, fields: F): StructOf<F, InferAll<F>> {
  const { kind, root, byLowerName } = struct(go, fields);
  return { kind, go, root, fields, byLowerName, filled: true };
}
