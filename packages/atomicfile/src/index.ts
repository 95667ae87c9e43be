import { randomBytes } from "node:crypto";
import { open, rename, unlink, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";

export { isDiskFull, Reserve } from "./reserve.ts";

/** Makes a directory entry change (create, rename, unlink) in `dir` survive a power cut. */
export async function syncDir(dir: string): Promise<void> {
  const handle = await open(dir, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes a new file beside `path`, with `sync` on the disk when it returns. @returns its path */
async function writeBeside(path: string, data: string | Uint8Array, mode: number, sync = true): Promise<string> {
  // Never the name of what an earlier process left: after a reboot pids come again.
  const temp = `${path}.tmp-${randomBytes(6).toString("hex")}`;
  const handle = await open(temp, "wx", mode);
  try {
    await handle.writeFile(data);
    if (sync) await handle.sync();
    await handle.close();
  } catch (error) {
    await handle.close();
    await unlink(temp).catch(() => undefined);
    // Node leaves the path out where the descriptor is at fault.
    throw Object.assign(error as NodeJS.ErrnoException, { path });
  }
  return temp;
}

async function publish(temp: string, path: string): Promise<void> {
  try {
    await rename(temp, path);
  } catch (error) {
    await unlink(temp).catch(() => undefined);
    throw error;
  }
}

/**
 * Replaces `path` so that a reader, or the next start after a crash at any instruction, sees
 * either the old content or the new one, whole: temp file in the same directory, fsync, rename,
 * fsync of the directory.
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array, mode = 0o600): Promise<void> {
  await publish(await writeBeside(path, data, mode), path);
  await syncDir(dirname(path));
}

/**
 * Replaces `path` as `writeFileAtomic` does, but not for a power cut: for what has no meaning after the
 * next boot. Whoever reads it must bear a file that is empty then, should the directory outlive the boot.
 */
export async function writeFileWhole(path: string, data: string | Uint8Array, mode = 0o600): Promise<void> {
  await publish(await writeBeside(path, data, mode, false), path);
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
export async function stageFiles(dir: string, files: Readonly<Record<string, string | Uint8Array>>, mode = 0o600): Promise<StagedFiles> {
  const paths = Object.keys(files).map((name) => join(dir, name));
  const written = await Promise.allSettled(Object.values(files).map((data, at) => writeBeside(paths[at] ?? "", data, mode)));
  const temps = written.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const discard = (): Promise<unknown> => Promise.all(temps.map((temp) => unlink(temp).catch(() => undefined)));
  for (const result of written) {
    if (result.status === "fulfilled") continue;
    await discard();
    throw result.reason;
  }
  return {
    publish: async () => {
      try {
        for (const [at, temp] of temps.entries()) await rename(temp, paths[at] ?? "");
      } catch (error) {
        await discard();
        throw error;
      }
      await syncDir(dir);
    },
  };
}

/**
 * Replaces files of one directory, each as `writeFileAtomic` does, in the order of `files`. Their
 * data goes to the disk at once, and the directory once for all.
 */
export async function writeFilesAtomic(dir: string, files: Readonly<Record<string, string | Uint8Array>>, mode = 0o600): Promise<void> {
  await (await stageFiles(dir, files, mode)).publish();
}

/** Makes a directory and its parents with `mode`, and syncs the parent. */
export async function makeDir(path: string, mode = 0o711): Promise<void> {
  await mkdir(path, { recursive: true, mode });
  await syncDir(dirname(path));
}
