import type { Descriptor } from "@longshore/oci";
import type { BlobReader, BlobStore } from "./blobs.ts";
import { type ReadImages, type ReadOptions, readImages } from "./read.ts";
import { type WriteOptions, writeImages } from "./write.ts";

/** `docker load`, `docker save`, `ctr images import` and `export`: images as one stream. */
export class ImageArchives {
  /** @see readImages */
  read(source: AsyncIterable<Uint8Array>, content: BlobStore, options: ReadOptions): Promise<ReadImages> {
    return readImages(source, content, options);
  }

  /** @see writeImages */
  write(images: readonly Descriptor[], content: BlobReader, options: WriteOptions): AsyncGenerator<Uint8Array> {
    return writeImages(images, content, options);
  }
}
