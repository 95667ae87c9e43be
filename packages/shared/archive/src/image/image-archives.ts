import type { Descriptor } from "@longshore/oci";
import type { BlobReader, BlobStore } from "./blobs.ts";
import { type ReadImages, type ReadOptions, readImages } from "./read.ts";
import { type WriteOptions, writeImages } from "./write.ts";

/** `docker load`, `docker save`, `ctr images import` and `export`: images as one stream. */
export class ImageArchives {
  readonly #limit: number;

  /** @param limit bytes that an archive may unpack to, 0 for as many as the disk has */
  constructor(limit = 0) {
    this.#limit = limit;
  }

  /** @see readImages */
  read(source: AsyncIterable<Uint8Array>, content: BlobStore, options: ReadOptions): Promise<ReadImages> {
    return readImages(source, content, { limit: this.#limit, ...options });
  }

  /** @see writeImages */
  write(images: readonly Descriptor[], content: BlobReader, options: WriteOptions): AsyncGenerator<Uint8Array> {
    return writeImages(images, content, options);
  }
}
