export { Transfer, type TransferOptions } from "./transfer.ts";
export type * from "./contract.ts";
export type { Source } from "./download.ts";
export type { ExportedImages } from "./export.ts";
export type { PushedImage } from "./push.ts";
export { endFormerTransfers } from "./lease.ts";
export { pullReference } from "./pull.ts";
