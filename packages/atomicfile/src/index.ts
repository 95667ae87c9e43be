import { open, rename, unlink, mkdir } from "node:fs/promises";
import { dirname } from "node:path";

let sequence = 0;

/** Makes a directory entry change (create, rename, unlink) in `dir` survive a power cut. */
export async function syncDir(dir: string): Promise<void> {
  const handle = await open(dir, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Replaces `path` so that a reader, or the next start after a crash at any instruction, sees
 * either the old content or the new one, whole: temp file in the same directory, fsync, rename,
 * fsync of the directory.
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array, mode = 0o600): Promise<void> {
  const temp = `${path}.tmp-${process.pid}-${sequence++}`;
  const handle = await open(temp, "wx", mode);
  try {
    await handle.writeFile(data);
    await handle.sync();
  } catch (error) {
    await handle.close();
    await unlink(temp).catch(() => undefined);
    throw error;
  }
  await handle.close();
  await rename(temp, path);
  await syncDir(dirname(path));
}

/** Makes a directory and its parents with `mode`, and syncs the parent. */
export async function makeDir(path: string, mode = 0o711): Promise<void> {
  await mkdir(path, { recursive: true, mode });
  await syncDir(dirname(path));
}
