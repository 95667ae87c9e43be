export { endpointFields, portMap, requestedEndpoint } from "./endpoint.ts";
export { fieldsOf, readerOf, recordOf } from "./of-shape.ts";
export { parseRecord, readRecordFile } from "./parse.ts";
export {
  type Fields,
  flag,
  integer,
  listOf,
  mapOf,
  nullable,
  oneOf,
  optional,
  type Reader,
  record,
  required,
  text,
  time,
  tupleOf,
} from "./readers.ts";
