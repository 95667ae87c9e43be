export type { ServiceClient, CallOptions } from "./client.ts";
export type { ContainerdClient } from "./containerd.ts";
export { packAny, unpackAny } from "./any.ts";
export { type AnyStream, receiveBytes, sendBytes } from "./byte-stream.ts";
