export type { Document, DocumentFields } from "./document.ts";
export { quoteText } from "@longshore/go-values";
export { JsonError } from "./json-error.ts";
export { isBlank, type Parsed, parseJson, parseLongJson, parseWhole } from "./parse.ts";
export { decode, unmarshal, unmarshalLong } from "./decode.ts";
export { parsePlain } from "./plain.ts";
export {
  bool,
  command,
  duration,
  empty,
  exactUint64,
  type Fields,
  fileMode,
  filled,
  type Infer,
  type InferFields,
  int,
  int64,
  leftOut,
  list,
  manyWords,
  type ListOf,
  map,
  type MapOf,
  named,
  pointer,
  type Scalar,
  type Shape,
  size,
  struct,
  type StructOf,
  text,
  uint16,
  uint64,
} from "./shape.ts";
export type { Json } from "./value.ts";
