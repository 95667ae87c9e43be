export { Transfer, type TransferOptions } from "./transfer.ts";
export type * from "./contract.ts";
export type { Source } from "./download.ts";
export type { ExportedImages } from "./export.ts";
export type { PushedImage } from "./push.ts";
export { pullReference } from "./pull.ts";
export { chainIds } from "@longshore/oci";
export { formatPlatform, hostPlatform, normalizePlatform, rankPlatforms } from "@longshore/oci";
export { type AnyStream, receiveBytes, sendBytes } from "./byte-stream.ts";
