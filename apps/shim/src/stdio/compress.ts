import {
  closeSync,
  createReadStream,
  createWriteStream,
  fsyncSync,
  ftruncateSync,
  futimesSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { LOCK, O, flock } from "@longshore/sys";

/**
 * Replaces `path` by `path.gz`; at every instant one of the two is whole. Keeps mode and time.
 * A container that is started again may rotate while the compression of its last run goes on:
 * compressors take turns, and one whose file was moved on in the meantime changes nothing.
 */
export async function compress(path: string): Promise<void> {
  const target = `${path}.gz`;
  const temp = `${target}.tmp`;
  const { ino, mode, atime, mtime } = statSync(path);
  const fd = openSync(temp, O.WRONLY | O.CREAT, mode & 0o777);
  try {
    flock(fd, LOCK.EX);
    if (!isStill(path, ino) || !isStill(temp, statSync(`/proc/self/fd/${fd}`).ino)) return;
    ftruncateSync(fd);
    await pipeline(createReadStream(path), createGzip(), createWriteStream(temp, { fd, autoClose: false }));
    futimesSync(fd, atime, mtime);
    fsyncSync(fd);
    if (!isStill(path, ino)) return rmSync(temp);
    renameSync(temp, target);
    rmSync(path);
  } catch (error) {
    rmSync(temp, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

function isStill(path: string, ino: number): boolean {
  return statSync(path, { throwIfNoEntry: false })?.ino === ino;
}
