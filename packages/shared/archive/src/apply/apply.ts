import { closeSync, openSync, readSync } from "node:fs";
import { createHash } from "node:crypto";
import { syncfs } from "@longshore/sys";
import { decompress } from "../compression/decompress.ts";
import { fsPath } from "../extract/path.ts";
import { Room } from "../limits/room.ts";
import { TarParser } from "../tar/parser.ts";
import { LayerExtractor, type LayerExtractorOptions } from "./layer-extractor.ts";

export interface ApplyOptions extends LayerExtractorOptions {
  /** Write all out to the disk before answering. */
  syncFs: boolean;
  /** Bytes that it may unpack to; absent or 0: as many as the disk has. */
  limit?: number | undefined;
}

/** What a layer turned out to be. */
export interface Applied {
  /** Digest of the uncompressed tar, `sha256:<hex>`. */
  diffId: string;
  /** Bytes of the uncompressed tar. */
  size: number;
}

const readBytes = 1 << 18;

/** A file's content in pieces; a read from the page cache is quicker than a turn through the thread pool. */
export async function* fileChunks(path: string): AsyncGenerator<Buffer> {
  const fd = openSync(path, "r");
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafeSlow(readBytes);
      const count = readSync(fd, buffer);
      if (count === 0) return;
      yield buffer.subarray(0, count);
    }
  } finally {
    closeSync(fd);
  }
}

/**
 * Unpacks a layer. What it made stays when it fails: the caller drops the snapshot.
 * @throws BadArchive; the abort reason once `signal` aborts
 */
export async function applyLayer(
  source: AsyncIterable<Uint8Array>,
  options: ApplyOptions,
  signal?: AbortSignal,
): Promise<Applied> {
  const hash = createHash("sha256");
  const parser = new TarParser();
  const extractor = new LayerExtractor(options);
  const room = new Room(options.root, options.limit);
  let size = 0;
  try {
    for await (const chunk of decompress(source)) {
      signal?.throwIfAborted();
      hash.update(chunk);
      size += chunk.length;
      room.take(chunk.length);
      for (const event of parser.feed(chunk)) {
        if (event.kind === "entry") room.take(0, 1);
        extractor.handle(event);
      }
    }
    parser.end();
    extractor.finish();
  } finally {
    extractor.close();
  }
  if (options.syncFs) syncRoot(options.root);
  return { diffId: `sha256:${hash.digest("hex")}`, size };
}

function syncRoot(root: string): void {
  const fd = openSync(fsPath(root), "r");
  try {
    syncfs(fd);
  } finally {
    closeSync(fd);
  }
}
