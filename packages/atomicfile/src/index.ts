import { randomBytes } from "node:crypto";
import { open, rename, unlink, mkdir } from "node:fs/promises";
import { dirname } from "node:path";

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
  // Never the name of what an earlier process left: after a reboot pids come again.
  const temp = `${path}.tmp-${randomBytes(6).toString("hex")}`;
  const handle = await open(temp, "wx", mode);
  try {
    await handle.writeFile(data);
    await handle.sync();
    await handle.close();
    await rename(temp, path);
  } catch (error) {
    await handle.close();
    await unlink(temp).catch(() => undefined);
    throw error;
  }
  await syncDir(dirname(path));
}

/** Makes a directory and its parents with `mode`, and syncs the parent. */
export async function makeDir(path: string, mode = 0o711): Promise<void> {
  await mkdir(path, { recursive: true, mode });
  await syncDir(dirname(path));
}
