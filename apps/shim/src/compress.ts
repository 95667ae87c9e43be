import { closeSync, createReadStream, createWriteStream, fsyncSync, openSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

/** Replaces `path` by `path.gz`; at every instant one of the two is whole. Keeps mode and time. */
export async function compress(path: string): Promise<void> {
  const target = `${path}.gz`;
  const temp = `${target}.tmp`;
  const { mode, atime, mtime } = statSync(path);
  try {
    await pipeline(createReadStream(path), createGzip(), createWriteStream(temp, { mode: mode & 0o777 }));
    const fd = openSync(temp, "r");
    fsyncSync(fd);
    closeSync(fd);
    utimesSync(temp, atime, mtime);
    renameSync(temp, target);
    rmSync(path);
  } catch (error) {
    rmSync(temp, { force: true });
    throw error;
  }
}
