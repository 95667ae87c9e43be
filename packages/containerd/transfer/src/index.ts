export { Transfer, type TransferOptions } from "./transfer.ts";
export type * from "./contract.ts";
export type { Source } from "./pull/download.ts";
export type { ExportedImages } from "./archive/export.ts";
export type { PushedImage } from "./push/push.ts";
export { endFormerTransfers } from "./lease.ts";
export { pullReference } from "./pull/pull.ts";
