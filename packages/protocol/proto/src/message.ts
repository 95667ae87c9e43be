/** What programs do with messages; bundled with the condition "compact" they do it by small tables instead. */
export { create, fromBinary, toBinary } from "@bufbuild/protobuf";
export { AnySchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
