import { InvalidArgument } from "@longshore/errdefs";

/** What image archives need of a content store; containerd's content store has it all. */
export interface BlobReader {
  /** @throws NotFound */
  info(digest: string): Promise<{ size: number }>;
  /** The bytes from `offset` on, `size` of them or to the end when it is 0. @throws NotFound */
  read(digest: string, offset?: number, size?: number): AsyncIterable<Uint8Array>;
}

/** Writes one blob. */
export interface BlobWriter {
  write(data: Uint8Array): Promise<void>;
  status(): { offset: number };
  digest(): string;
  /** @throws FailedPrecondition when size or digest differ, AlreadyExists */
  commit(size: number, expected: string, labels?: Record<string, string>): Promise<string>;
  close(): Promise<void>;
}

export interface BlobIngester {
  /** @throws AlreadyExists when `expected` is there */
  writer(options: { ref: string; size?: number; expected?: string }): Promise<BlobWriter>;
  abort(ref: string): Promise<void>;
}

export type BlobStore = BlobReader & BlobIngester;

export interface Blob {
  digest: string;
  size: number;
}

/** Reads a small blob whole. */
export async function readBlob(blobs: BlobReader, digest: string, limit: number): Promise<Buffer> {
  const { size } = await blobs.info(digest);
  if (size > limit) throw new InvalidArgument(`${digest} has ${size} bytes, more than ${limit}`);
  const pieces: Uint8Array[] = [];
  for await (const piece of blobs.read(digest)) pieces.push(piece);
  return Buffer.concat(pieces);
}
