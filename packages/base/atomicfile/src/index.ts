import { randomBytes } from "node:crypto";
import { mkdir, open, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { renameAll, writeFileWhole as writeWhole } from "@longshore/sys";

export { isDiskFull, Reserve } from "./reserve.ts";
export { filesSetAside, setAside } from "./set-aside.ts";

/** Makes a directory entry change (create, rename, unlink) in `dir` survive a power cut. */
export async function syncDir(dir: string): Promise<void> {
  const handle = await open(dir, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Never the name of what an earlier process left: after a reboot pids come again. */
function beside(path: string): string {
  return `${path}.tmp-${randomBytes(6).toString("hex")}`;
}

function bytesOf(data: string | Uint8Array): Uint8Array {
  return typeof data === "string" ? Buffer.from(data) : data;
}

/**
 * Replaces `path` so that a reader, or the next start after a crash at any instruction, sees
 * either the old content or the new one, whole: temp file in the same directory, fsync, rename,
 * fsync of the directory.
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array, mode = 0o600): Promise<void> {
  await writeWhole(beside(path), path, bytesOf(data), { mode, publish: true, durable: true });
}

/**
 * Replaces `path` as `writeFileAtomic` does, but not for a power cut: for what has no meaning after the
 * next boot. Whoever reads it must bear a file that is empty then, should the directory outlive the boot.
 */
export async function writeFileWhole(path: string, data: string | Uint8Array, mode = 0o600): Promise<void> {
  await writeWhole(beside(path), path, bytesOf(data), { mode, publish: true, durable: false });
}

/** Files that lie beside those they will replace. */
export interface StagedFiles {
  /** Replaces the files, in their order, and brings that to the disk. */
  publish(): Promise<void>;
}

/**
 * Writes new files beside those that they will replace; their data is on the disk when it returns. One that is
 * never published is garbage, which its directory's owner removes.
 */
export async function stageFiles(
  dir: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  mode = 0o600,
): Promise<StagedFiles> {
  const paths = Object.keys(files).map((name) => join(dir, name));
  const temps = paths.map(beside);
  const options = { mode, publish: false, durable: true };
  const written = await Promise.allSettled(
    Object.values(files).map((data, at) => writeWhole(temps[at] ?? "", paths[at] ?? "", bytesOf(data), options)),
  );
  const failed = written.find((result) => result.status === "rejected");
  if (failed) {
    await Promise.all(temps.map((temp) => unlink(temp).catch(() => undefined)));
    throw failed.reason;
  }
  return { publish: () => renameAll(temps, paths) };
}

/**
 * Replaces files of one directory, each as `writeFileAtomic` does, in the order of `files`. Their
 * data goes to the disk at once, and the directory once for all.
 */
export async function writeFilesAtomic(
  dir: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  mode = 0o600,
): Promise<void> {
  await (await stageFiles(dir, files, mode)).publish();
}

/** Makes a directory and its parents with `mode`, and syncs the parent. */
export async function makeDir(path: string, mode = 0o711): Promise<void> {
  await mkdir(path, { recursive: true, mode });
  await syncDir(dirname(path));
}
