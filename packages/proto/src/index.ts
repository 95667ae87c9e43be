export type { ServiceClient, CallOptions } from "./client.ts";
export type { ContainerdClient } from "./containerd.ts";
export { packAny, unpackAny } from "./any.ts";
