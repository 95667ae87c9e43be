export type { ServiceClient, CallOptions } from "./client.ts";
export type { ContainerdClient } from "./containerd.ts";
export { packAny, unpackAny } from "./any.ts";
export { byteSocketMetadata, type ByteListener, connectForBytes, listenForBytes } from "./byte-socket.ts";
export { type AnyStream, type ByteChannel, receiveBytes, sendBytes } from "./byte-stream.ts";
