import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/** The bytes of all files below a directory; a file with several links counts once, directories do not. */
export async function sizeOf(dir: string): Promise<number> {
  const seen = new Set<string>();
  let size = 0;
  const walk = async (path: string): Promise<void> => {
    for (const entry of await readdir(path, { withFileTypes: true })) {
      const child = join(path, entry.name);
      if (entry.isDirectory()) {
        await walk(child);
        continue;
      }
      // A container may remove what was just listed.
      const stat = await lstat(child).catch(() => undefined);
      if (!stat || seen.has(`${stat.dev}:${stat.ino}`)) continue;
      if (stat.nlink > 1) seen.add(`${stat.dev}:${stat.ino}`);
      size += stat.size;
    }
  };
  await walk(dir).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  });
  return size;
}
