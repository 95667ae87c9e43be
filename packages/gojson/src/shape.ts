import { InvalidArgument, messageOf } from "@longshore/errdefs";

/** What a JSON value must look like; `go` is the type name that Docker's error messages show. */
export type Shape =
  | { kind: "string" | "bool" | "int"; go: string }
  | { kind: "list"; go: string; element: Shape; orString?: boolean }
  | { kind: "map"; go: string; element: Shape }
  | { kind: "struct"; go: string; root: string; fields: Record<string, Shape>; byLowerName: Map<string, string> };

export const text: Shape = { kind: "string", go: "string" };
export const bool: Shape = { kind: "bool", go: "bool" };
export const int: Shape = { kind: "int", go: "int" };
export const int64: Shape = { kind: "int", go: "int64" };
export const duration: Shape = { kind: "int", go: "time.Duration" };
/** A set: keys with empty objects. */
export const empty: Shape = struct("struct {}", {});

/** A named string type such as `mount.Type`. */
export function named(go: string): Shape {
  return { kind: "string", go };
}

export function list(element: Shape): Shape {
  return { kind: "list", go: `[]${element.go}`, element };
}

/** A command: a list of strings, or one string that stands for a list of one. */
export const command: Shape = { kind: "list", go: "[]string", element: text, orString: true };

export function map(element: Shape): Shape {
  return { kind: "map", go: `map[string]${element.go}`, element };
}

/** @param root what stands before the path of a wrong member of a whole body: the type's own name, unless Docker reads it as a part of another */
export function struct(go: string, fields: Record<string, Shape>, root = go.slice(go.lastIndexOf(".") + 1)): Shape {
  return { kind: "struct", go, root, fields, byLowerName: new Map(Object.keys(fields).map((name) => [name.toLowerCase(), name])) };
}

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}

function mismatch(value: unknown, shape: Shape, [root = "", ...path]: string[], inList: boolean): InvalidArgument {
  const shown = shape.kind === "int" && typeof value === "number" ? `number ${value}` : jsonKind(value);
  const pointer = path.map((part) => `.${part.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
  const where = path.length === 0 ? "Go value" : inList ? pointer : `Go struct field ${root}${pointer}`;
  return new InvalidArgument(`json: cannot unmarshal ${shown} into ${where} of type ${shape.go}`);
}

/**
 * Reads a parsed JSON value as `shape`: field names match in any case, unknown ones are dropped,
 * `null` leaves a scalar out and empties a list or map.
 * @throws InvalidArgument with the text of Go's JSON decoder
 */
export function unmarshal(shape: Shape, value: unknown): unknown {
  return decodeAt(shape, value, [shape.kind === "struct" ? shape.root : ""], false);
}

/** As `unmarshal`, for a request's body. @throws InvalidArgument `invalid JSON: …` */
export function decode(shape: Shape, value: unknown): unknown {
  try {
    return unmarshal(shape, value);
  } catch (error) {
    throw new InvalidArgument(`invalid JSON: ${messageOf(error)}`, { cause: error });
  }
}

/** @param path of the value, behind what its root is called */
function decodeAt(shape: Shape, value: unknown, path: string[], inList: boolean): unknown {
  if (value === null || value === undefined) return shape.kind === "list" || shape.kind === "map" ? null : undefined;
  switch (shape.kind) {
    case "string":
    case "bool":
      if (typeof value !== (shape.kind === "bool" ? "boolean" : shape.kind)) throw mismatch(value, shape, path, inList);
      return value;
    case "int":
      if (typeof value !== "number" || !Number.isInteger(value)) throw mismatch(value, shape, path, inList);
      return value;
    case "list":
      if (shape.orString === true && typeof value === "string") return [value];
      if (!Array.isArray(value)) throw mismatch(value, shape, path, inList);
      return value.map((element, index) => decodeAt(shape.element, element, [...path, String(index)], true) ?? zeroElement(shape.element));
    case "map":
    case "struct":
      if (typeof value !== "object" || Array.isArray(value)) throw mismatch(value, shape, path, inList);
      return decodeObject(shape, value as Record<string, unknown>, path);
  }
}

function decodeObject(shape: Extract<Shape, { kind: "map" | "struct" }>, value: Record<string, unknown>, path: string[]): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    if (shape.kind === "map") {
      define(out, key, decodeAt(shape.element, member, [...path, key], false) ?? zero(shape.element));
      continue;
    }
    const name = key in shape.fields ? key : shape.byLowerName.get(key.toLowerCase());
    const field = name === undefined ? undefined : shape.fields[name];
    if (name === undefined || field === undefined) continue;
    const decoded = decodeAt(field, member, [...path, name], false);
    if (decoded !== undefined) out[name] = decoded;
  }
  return out;
}

/** What `null` is as a map's value; a pointer's is told from it by nobody. */
function zero({ kind }: Shape): unknown {
  if (kind === "string") return "";
  if (kind === "bool") return false;
  return kind === "int" ? 0 : null;
}

/** What `null` is as a list's element: a struct's members are all absent. */
function zeroElement(shape: Shape): unknown {
  return shape.kind === "struct" ? undefined : zero(shape);
}

/** `__proto__` is a key like any other. */
function define(out: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(out, key, { value, enumerable: true, writable: true, configurable: true });
}
