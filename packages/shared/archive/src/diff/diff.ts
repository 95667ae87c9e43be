import { createHash } from "node:crypto";
import { type BigIntStats, lstatSync } from "node:fs";
import { Readable, pipeline } from "node:stream";
import { createGzip, createZstdCompress } from "node:zlib";
import type { Applied } from "../apply/apply.ts";
import { opaqueWhiteout, whiteoutPrefix } from "../apply/layer-extractor.ts";
import { fsPath, splitName } from "../extract/path.ts";
import { EntryWriter } from "../files/entry.ts";
import { coalesce } from "../tar/coalesce.ts";
import type { ByteString } from "../tar/header.ts";
import { encodeHeader, endOfArchive, tarHeader } from "../tar/writer.ts";
import type { Change } from "./change.ts";
import { compareTrees } from "./compare.ts";
import { upperChanges } from "./upper.ts";

/** Where the two states lie: an overlay's upper folder on its lower ones, or two whole trees. */
export type Trees = { upper: ByteString; lowers: readonly ByteString[] } | { left: ByteString; right: ByteString };

export interface DiffOptions {
  trees: Trees;
  compression: "uncompressed" | "gzip" | "zstd";
  /** Seconds since 1970: the time of deletions, and the latest time of all else. Default: now, and none. */
  sourceDateEpoch?: number | undefined;
}

/** What a diff turned out to be, uncompressed. */
export type Diffed = Applied;

/** The changes between two states, in the order of names. */
export function changesOf(trees: Trees): Generator<Change> {
  return "upper" in trees ? upperChanges(trees.upper, trees.lowers) : compareTrees(trees.left, trees.right);
}

/** A layer's tar: the changes, each below entries of the folders that it lies in, deletions as whiteouts. */
function* diffTar(options: DiffOptions): Generator<Buffer> {
  const writer = new EntryWriter(options.sourceDateEpoch);
  const top = "upper" in options.trees ? options.trees.upper : options.trees.right;
  const time = { sec: options.sourceDateEpoch ?? Math.floor(Date.now() / 1000), nsec: 0 };
  const whiteout = (name: ByteString): Buffer => encodeHeader(tarHeader({ name, mtime: time }));
  const written = new Set<ByteString>([""]);
  function* parents(name: ByteString): Generator<Buffer> {
    const { dir } = splitName(name);
    if (written.has(dir)) return;
    yield* parents(dir);
    written.add(dir);
    const path = `${top}/${dir}`;
    const stat: BigIntStats = lstatSync(fsPath(path), { bigint: true });
    yield* writer.entry(path, dir, stat);
  }
  for (const { kind, name, path, stat, opaque } of changesOf(options.trees)) {
    yield* parents(name);
    if (kind === "delete" || path === undefined || stat === undefined) {
      const { dir, base } = splitName(name);
      yield whiteout(`${dir === "" ? "" : `${dir}/`}${whiteoutPrefix}${base}`);
      continue;
    }
    if (stat.isDirectory()) written.add(name);
    yield* writer.entry(path, name, stat);
    if (opaque === true) yield whiteout(`${name}/${opaqueWhiteout}`);
  }
  yield endOfArchive;
}

/** Streams a layer; `diffed` tells of the uncompressed tar once the stream has ended. */
export function diffStream(
  options: DiffOptions,
  signal?: AbortSignal,
): { stream: AsyncIterable<Buffer>; diffed: () => Diffed } {
  const hash = createHash("sha256");
  let size = 0;
  async function* plain(): AsyncGenerator<Buffer> {
    for (const piece of coalesce(diffTar(options))) {
      signal?.throwIfAborted();
      hash.update(piece);
      size += piece.length;
      yield piece;
    }
  }
  return {
    stream: compress(plain(), options.compression),
    diffed: () => ({ diffId: `sha256:${hash.digest("hex")}`, size }),
  };
}

function compress(source: AsyncIterable<Buffer>, compression: DiffOptions["compression"]): AsyncIterable<Buffer> {
  if (compression === "uncompressed") return source;
  const chunkSize = 1 << 17;
  const encoder = compression === "gzip" ? createGzip({ chunkSize }) : createZstdCompress({ chunkSize });
  // What goes wrong comes out of the iteration.
  return pipeline(Readable.from(source, { objectMode: true }), encoder, () => undefined) as AsyncIterable<Buffer>;
}
