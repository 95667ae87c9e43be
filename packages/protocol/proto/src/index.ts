export type { ServiceClient, CallOptions } from "./client.ts";
export { packAny, unpackAny } from "./any.ts";
