/** `message.ts` for programs that are bundled with the condition "compact". */
export { create, fromBinary, toBinary } from "@longshore/wire";
// @ts-expect-error generated without declarations: those of message.ts hold
export { AnySchema } from "../gen/google/protobuf/any_compact.js";
// @ts-expect-error as above
export { TimestampSchema } from "../gen/google/protobuf/timestamp_compact.js";
