import type { Document, Fields as ShapeFields, Shape, StructOf } from "@longshore/go-json";
import {
  type Fields,
  flag,
  integer,
  listOf,
  mapOf,
  nullable,
  optional,
  type Reader,
  record,
  text,
  tupleOf,
} from "./readers.ts";

/** What holds for members beyond their types, each by the whole reader of that member. */
type Refined<F extends ShapeFields> = {
  [K in keyof F]?: Reader<Exclude<Document<StructOf<F>>[K & keyof Document<StructOf<F>>], undefined>>;
};

/** The reader of a document's records that follows from the shape of its bodies: the same members, in the same order, with the same types. */
export function readerOf<S extends Shape>(shape: S): Reader<Document<S>> {
  return readerOfAny(shape) as Reader<Document<S>>;
}

/** As `readerOf`, of a struct with members of which more is known. */
export function recordOf<F extends ShapeFields>(
  shape: { fields: F },
  refined: Refined<F> = {},
): Reader<Document<StructOf<F>>> {
  return record(fieldsOf(shape.fields, refined));
}

/** The readers of a struct's members. */
export function fieldsOf<F extends ShapeFields>(fields: F, refined: Refined<F> = {}): Fields<Document<StructOf<F>>> {
  const given = new Map<string, unknown>(Object.entries(refined));
  return Object.fromEntries(
    Object.entries(fields).map(([name, shape]) => [name, given.get(name) ?? readerOfAny(shape)]),
  ) as Fields<Document<StructOf<F>>>;
}

function readerOfAny(shape: Shape): Reader<unknown> {
  const read = valueOf(shape);
  if (shape.leftOut === true) return optional(read);
  const isNull =
    shape.pointer === true || shape.kind === "map" || (shape.kind === "list" && shape.length === undefined);
  return isNull ? nullable(read) : read;
}

function valueOf(shape: Shape): Reader<unknown> {
  switch (shape.kind) {
    case "string":
      return text;
    case "bool":
      return flag;
    case "int":
      return integer((shape.as ?? shape.go).startsWith("u") ? { min: 0 } : {});
    case "list":
      return shape.length === undefined ? listOf(readerOfAny(shape.element)) : tupleOf(readerOfAny(shape.element));
    case "map":
      return mapOf(readerOfAny(shape.element));
    case "struct":
      return record(fieldsOf(shape.fields) as Fields<object>);
    case "own":
      return (value) => shape.read(value);
  }
}
