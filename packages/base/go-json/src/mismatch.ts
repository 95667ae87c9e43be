import { InvalidArgument } from "@longshore/errdefs";
import type { Shape } from "./shape.ts";
import { JsonNumber } from "./value.ts";

/** The way to a value from the root, from its end on. */
export interface Path {
  name: string;
  parent: Path | undefined;
}

export function pointer({ name, parent }: Path): string {
  return parent === undefined ? name : `${pointer(parent)}.${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (value instanceof JsonNumber) return "number";
  return typeof value === "boolean" ? "bool" : typeof value;
}

/** A value of another type than its shape's, in the words of Go's decoder. */
export function mismatch(value: unknown, shape: Shape, path: Path): InvalidArgument {
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
