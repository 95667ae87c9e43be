import type { FileHandle } from "node:fs/promises";
import { openIfThere } from "./files.ts";
import { identityOf, openAll } from "./open-all.ts";

/**
 * The file that holds what comes behind `current`, which may have been renamed, compressed or removed since it was
 * opened; `undefined` while it is the live one. Behind one that is gone for good comes the oldest that is left.
 * @param path of the live file
 */
export async function followingFile(
  path: string,
  current: FileHandle | undefined,
): Promise<{ handle: FileHandle; compressed: boolean } | undefined> {
  if (current === undefined) {
    const handle = await openIfThere(path);
    return handle && { handle, compressed: false };
  }
  const identity = await identityOf(current);
  if ((await identityOf(path)) === identity) return undefined;
  const { live, rotated } = await openAll(path);
  const files = [...rotated, ...(live === undefined ? [] : [{ handle: live, compressed: false }])];
  const next = files[await indexAfter(files, current, identity)];
  for (const { handle } of files) if (handle !== next?.handle) await handle.close();
  return next;
}

/** @param files oldest first */
async function indexAfter(
  files: readonly { handle: FileHandle; compressed: boolean }[],
  current: FileHandle,
  identity: string | undefined,
): Promise<number> {
  const same = (await Promise.all(files.map(({ handle }) => identityOf(handle)))).indexOf(identity);
  if (same >= 0) return same + 1;
  const { mtimeMs, size } = await current.stat();
  const times = await Promise.all(files.map(async ({ handle }) => (await handle.stat()).mtimeMs));
  // Compressed, it is another file with the time of its last line, in whole milliseconds, and its size at the end.
  for (const [i, { handle, compressed }] of files.entries()) {
    if (compressed && Math.abs((times[i] ?? 0) - mtimeMs) <= 1 && (await sizeBefore(handle)) === size % 2 ** 32)
      return i + 1;
  }
  // Files that were written within one tick of the kernel's clock have the same time.
  const later = times.findIndex((time) => time >= mtimeMs);
  return later >= 0 ? later : files.length - 1;
}

/** The size, modulo 2^32, of what a gzip file holds (RFC 1952, ISIZE); 0 when it is too short to be one. */
async function sizeBefore(compressed: FileHandle): Promise<number> {
  const { size } = await compressed.stat();
  const { buffer, bytesRead } = await compressed.read(Buffer.alloc(4), 0, 4, Math.max(0, size - 4));
  return bytesRead === 4 ? buffer.readUInt32LE() : 0;
}
