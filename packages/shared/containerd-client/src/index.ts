export type { ContainerdClient } from "./connection/client.ts";
export type { ClientContext } from "./connection/context.ts";
export {
  type BlobInfo,
  blobInfo,
  labelBlob,
  readDocument,
  readPresent,
  writeBlob,
  writeDocument,
  type WrittenBlob,
} from "./content/blobs.ts";
export { createRecord, getRecord, type ImageRecord, listRecords, removeRecord, storeRecord } from "./images/records.ts";
export { endFormerLeases, type Lease, withLease } from "./leases/lease.ts";
export { concurrencyOf, inNamespace, leaseOf, namespaceOf, underLease } from "./namespaces/metadata.ts";
export { type SnapshotContext, snapshotExists, unpackManifest, unpackStored } from "./snapshots/unpack.ts";
export { type ByteListener, byteSocketMetadata, connectForBytes, listenForBytes } from "./transfer/byte-socket.ts";
export { type AnyStream, type ByteChannel, receiveBytes, sendBytes } from "./transfer/byte-stream.ts";
export { exportImages, type ExportRequest } from "./transfer/export.ts";
export { importImages, type ImportRequest } from "./transfer/import.ts";
export { registryWords, transferReason, transferReasons } from "./transfer/failure.ts";
export { ClientStream } from "./transfer/stream.ts";
export { platformMessage, transfer, type TransferRequest } from "./transfer/transfer.ts";
