import { type BigIntStats, closeSync, lstatSync, openSync, readdirSync } from "node:fs";
import { O } from "@longshore/sys";
import { codeOf, fsPath } from "../extract/path.ts";
import { coalesce } from "../tar/coalesce.ts";
import type { ByteString } from "../tar/header.ts";
import { endOfArchive } from "../tar/writer.ts";
import { EntryWriter } from "./entry.ts";
import { locate, openFolder } from "./locate.ts";

export interface PackOptions {
  /** The container's root; nothing outside is ever read. */
  root: string;
  /** Path inside it. */
  path: string;
  /**
   * `self`: entries begin with the last component of the path, as `docker cp` wants them; `children`:
   * what the folder holds, as `docker export` writes the root.
   */
  include: "self" | "children";
}

/** Packs a file or a folder with all below it, in the order of names. */
export async function* packStream(options: PackOptions, signal?: AbortSignal): AsyncGenerator<Buffer> {
  for (const piece of coalesce(pack(options))) {
    signal?.throwIfAborted();
    yield piece;
  }
}

function* pack({ root, path, include }: PackOptions): Generator<Buffer> {
  const located = locate(root, path);
  const writer = new EntryWriter();
  try {
    if (include === "self") yield* writer.entry(located.path, located.name, located.stat);
    if (located.stat.isDirectory()) {
      const fd = openSync(fsPath(located.path), O.RDONLY | O.DIRECTORY | O.NOFOLLOW);
      yield* children(fd, include === "self" ? (located.name === "/" ? "/" : `${located.name}/`) : "", writer);
    }
    yield endOfArchive;
  } finally {
    located.close();
  }
}

/** All below an open folder, which is closed at the end. */
function* children(folder: number, prefix: ByteString, writer: EntryWriter): Generator<Buffer> {
  try {
    const at = `/proc/self/fd/${folder}`;
    for (const name of readdirSync(at, { encoding: "latin1" }).sort()) {
      const path = `${at}/${name}`;
      const stat: BigIntStats | undefined = lstatSync(fsPath(path), { bigint: true, throwIfNoEntry: false });
      if (stat === undefined) continue;
      yield* writer.entry(path, prefix + name, stat);
      if (!stat.isDirectory()) continue;
      let below: number;
      try {
        below = openFolder(folder, name);
      } catch (error) {
        // Removed, or replaced by something else, since it was listed.
        if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR" || codeOf(error) === "ELOOP") continue;
        throw error;
      }
      yield* children(below, `${prefix}${name}/`, writer);
    }
  } finally {
    closeSync(folder);
  }
}
