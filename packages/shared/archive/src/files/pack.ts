import { openSync } from "node:fs";
import { O } from "@longshore/sys";
import { fsPath } from "../extract/path.ts";
import { coalesce } from "../tar/coalesce.ts";
import { endOfArchive } from "../tar/writer.ts";
import { EntryWriter } from "./entry.ts";
import { filesBelow } from "./folder-walk.ts";
import { locate } from "./locate.ts";

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
      const prefix = include === "children" ? "" : located.name === "/" ? "/" : `${located.name}/`;
      for (const found of filesBelow(fd)) yield* writer.entry(found.path, prefix + found.name, found.stat);
    }
    yield endOfArchive;
  } finally {
    located.close();
  }
}
