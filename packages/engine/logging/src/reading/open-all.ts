import { type FileHandle, stat } from "node:fs/promises";
import { openIfThere, type RotatedFile, rotatedFiles } from "./files.ts";

/** A rotated file that stays readable whatever it is called by now. */
export interface OpenRotated extends RotatedFile {
  handle: FileHandle;
}

/** A log that rotates without pause, or is being compressed, is looked at so often before it is taken as it was found last. */
const attempts = 50;

/**
 * Opens the live file and all rotated ones, oldest first, as they were at one moment: the shim renames
 * and removes them when it likes, and a reader that opened them one after the other would miss some
 * or read some twice.
 */
export async function openAll(path: string): Promise<{ live: FileHandle | undefined; rotated: OpenRotated[] }> {
  for (let attempt = 1; ; attempt++) {
    const live = await openIfThere(path);
    const found = await rotatedFiles(path);
    const rotated: OpenRotated[] = [];
    for (const file of found) {
      const handle = await openIfThere(file.path);
      if (handle !== undefined) rotated.push({ ...file, handle });
    }
    const complete = rotated.length === found.length && (await isUnchanged(path, live, rotated));
    if (complete || attempt === attempts) return { live, rotated };
    await Promise.all([live, ...rotated.map(({ handle }) => handle)].map((handle) => handle?.close()));
  }
}

async function isUnchanged(
  path: string,
  live: FileHandle | undefined,
  rotated: readonly OpenRotated[],
): Promise<boolean> {
  const now = await rotatedFiles(path);
  if (now.map((file) => file.path).join() !== rotated.map((file) => file.path).join()) return false;
  for (const { path: name, handle } of rotated)
    if ((await identityOf(name)) !== (await identityOf(handle))) return false;
  return (await identityOf(path)) === (live === undefined ? undefined : await identityOf(live));
}

/** Tells one file from another, whatever they are called; `undefined` when there is none, or no file. */
export async function identityOf(file: string | FileHandle): Promise<string | undefined> {
  try {
    const stats = typeof file === "string" ? await stat(file) : await file.stat();
    return stats.isFile() ? `${stats.dev}:${stats.ino}` : undefined;
  } catch {
    return undefined;
  }
}
