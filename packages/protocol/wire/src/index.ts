export { create } from "./create.ts";
export { fromBinary } from "./decode.ts";
export { toBinary } from "./encode.ts";
export { type Message, type MessageTable, enumeration, message } from "./table.ts";
export { service } from "./service.ts";
