import { closeSync } from "node:fs";
import { posix } from "node:path";
import { InvalidArgument, NotFound } from "@longshore/errdefs";
import { O, openInRoot } from "@longshore/sys";
import { decompress } from "../compression/decompress.ts";
import { Extractor } from "../extract/extractor.ts";
import { OpenParents } from "../extract/open-parents.ts";
import { codeOf, fsPath } from "../extract/path.ts";
import { byteString } from "../tar/header.ts";
import { Room } from "../limits/room.ts";
import { TarParser } from "../tar/parser.ts";

export interface UnpackOptions {
  /** The container's root; nothing outside is ever written. */
  root: string;
  /** The folder inside it that the archive goes into. */
  path: string;
  /** Owner of all that is made, instead of the archive's. */
  owner?: { uid: number; gid: number } | undefined;
  /** Refuse to put a folder where there is something else, and the other way round. */
  noOverwriteDirNonDir: boolean;
  /** Bytes that it may unpack to; absent or 0: as many as the disk has. */
  limit?: number | undefined;
}

/**
 * Unpacks a tar (plain or packed with gzip, zstd, bzip2, xz) into a folder of a container, which may be
 * running.
 * @throws NotFound, InvalidArgument `extraction point is not a directory`, and what `applyLayer` throws
 */
export async function unpack(
  source: AsyncIterable<Uint8Array>,
  options: UnpackOptions,
  signal?: AbortSignal,
): Promise<void> {
  const base = byteString(posix.normalize(`/${options.path}`));
  checkFolder(options.root, base, options.path);
  const parents = new OpenParents(byteString(options.root), base, options.owner ?? { uid: 0, gid: 0 });
  const extractor = new Extractor({
    parents,
    owner: options.owner,
    noOverwriteDirNonDir: options.noOverwriteDirNonDir,
    rootName: options.path,
  });
  const parser = new TarParser();
  const room = new Room(byteString(options.root), options.limit);
  try {
    for await (const chunk of decompress(source)) {
      signal?.throwIfAborted();
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
}

function checkFolder(root: string, base: string, asked: string): void {
  try {
    closeSync(openInRoot(root, fsPath(base), O.PATH | O.DIRECTORY));
  } catch (error) {
    if (codeOf(error) === "ENOTDIR") throw new InvalidArgument("extraction point is not a directory", { cause: error });
    if (codeOf(error) === "ENOENT") throw new NotFound(`lstat ${asked}: no such file or directory`, { cause: error });
    throw error;
  }
}
