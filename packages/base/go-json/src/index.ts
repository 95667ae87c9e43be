export { quoteText } from "@longshore/go-values";
export { JsonError } from "./json-error.ts";
export { isBlank, type Parsed, parseJson, parseLongJson, parseWhole } from "./parse.ts";
export { decode, unmarshal, unmarshalLong } from "./decode.ts";
export {
  bool,
  command,
  duration,
  empty,
  exactUint64,
  filled,
  type Infer,
  type InferFields,
  int,
  int64,
  list,
  manyWords,
  map,
  named,
  type Shape,
  size,
  type Struct,
  struct,
  text,
  uint16,
  uint64,
} from "./shape.ts";
export type { Json } from "./value.ts";
