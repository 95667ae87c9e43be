import { randomBytes } from "node:crypto";
import { isKind } from "@longshore/errdefs";
import type { Blob, BlobStore, BlobWriter } from "./blobs.ts";

/**
 * A blob on its way into the store. A digest told beforehand is checked; a blob that is there already is
 * read over.
 */
export class Ingest {
  readonly #blobs: BlobStore;
  readonly #ref = `import-${randomBytes(12).toString("base64url")}`;
  readonly #expected: string;
  readonly #size: number;
  #writer: BlobWriter | undefined;
  /** Bytes that the store held when the ingest began, as it does when another namespace has the blob. */
  #held = 0;

  private constructor(blobs: BlobStore, expected: string, size: number) {
    this.#blobs = blobs;
    this.#expected = expected;
    this.#size = size;
  }

  /**
   * @param expected digest it must have, "" when unknown
   * @param size bytes it must have, 0 when unknown
   */
  static async start(blobs: BlobStore, expected: string, size: number): Promise<Ingest> {
    const ingest = new Ingest(blobs, expected, size);
    try {
      ingest.#writer = await blobs.writer({
        ref: ingest.#ref,
        ...(size > 0 && { size }),
        ...(expected !== "" && { expected }),
      });
      ingest.#held = ingest.#writer.status().offset;
    } catch (error) {
      if (expected === "" || !isKind(error, "AlreadyExists")) throw error;
    }
    return ingest;
  }

  async write(data: Uint8Array): Promise<void> {
    const known = Math.min(this.#held, data.length);
    this.#held -= known;
    if (known < data.length) await this.#writer?.write(data.subarray(known));
  }

  /** @throws FailedPrecondition when the digest is another one */
  async commit(labels: Record<string, string> = {}): Promise<Blob> {
    const writer = this.#writer;
    if (writer === undefined) return { digest: this.#expected, size: this.#size };
    const { offset: size } = writer.status();
    const digest = writer.digest();
    try {
      await writer.commit(size, this.#expected || digest, labels);
    } catch (error) {
      if (!isKind(error, "AlreadyExists")) throw error;
    } finally {
      await writer.close();
    }
    this.#writer = undefined;
    return { digest, size };
  }

  /** Drops what was not committed. */
  async abort(): Promise<void> {
    if (this.#writer === undefined) return;
    await this.#writer.close();
    this.#writer = undefined;
    // Nobody else knows the ref: at worst the garbage collector finds it.
    await this.#blobs.abort(this.#ref).catch(() => undefined);
  }
}

/** Stores bytes at hand as a blob. */
export async function storeBlob(blobs: BlobStore, data: Uint8Array, expected: string): Promise<Blob> {
  const ingest = await Ingest.start(blobs, expected, data.length);
  try {
    await ingest.write(data);
    return await ingest.commit();
  } finally {
    await ingest.abort();
  }
}
