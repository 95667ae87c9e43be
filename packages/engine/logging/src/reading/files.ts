import { constants, type FileHandle, open, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** A rotated log file, `x.1`, `x.2.gz`, …; higher numbers are older. */
export interface RotatedFile {
  path: string;
  number: number;
  compressed: boolean;
}

/** The rotated files of a log, oldest first. */
export async function rotatedFiles(path: string): Promise<RotatedFile[]> {
  const name = basename(path);
  const found = new Map<number, RotatedFile>();
  for (const file of await readdir(dirname(path), { withFileTypes: true }).catch(() => [])) {
    const entry = file.name;
    if (!file.isFile() || !entry.startsWith(`${name}.`)) continue;
    const match = /^(\d+)(\.gz)?$/.exec(entry.slice(name.length + 1));
    if (match === null) continue;
    const number = Number(match[1]);
    const compressed = match[2] !== undefined;
    // While a file is being compressed both exist; the plain one is whole.
    if (found.has(number) && compressed) continue;
    found.set(number, { path: join(dirname(path), entry), number, compressed });
  }
  return [...found.values()].sort((a, b) => b.number - a.number);
}

const lineFeed = 10;
const chunkBytes = 64 << 10;

/** How many lines a piece of whole lines has. */
export function countLines(lines: Buffer): number {
  let count = 0;
  for (let at = lines.indexOf(lineFeed); at >= 0; at = lines.indexOf(lineFeed, at + 1)) count++;
  return count;
}

/** A piece of whole lines without the first `count`. */
export function withoutLines(lines: Buffer, count: number): Buffer {
  let begin = 0;
  for (let i = 0; i < count; i++) begin = lines.indexOf(lineFeed, begin) + 1;
  return lines.subarray(begin);
}

/** Finds where the last `count` lines of an open file of `size` bytes begin, reading backwards. `found` is how many there are. */
export async function tailOffset(
  handle: FileHandle,
  size: number,
  count: number,
): Promise<{ offset: number; found: number }> {
  const buffer = Buffer.allocUnsafe(chunkBytes);
  let end = size;
  let found = 0;
  while (end > 0) {
    const start = Math.max(0, end - chunkBytes);
    const { bytesRead } = await handle.read(buffer, 0, end - start, start);
    for (let i = bytesRead - 1; i >= 0; i--) {
      // The feed at the very end closes the last line and opens none.
      if (buffer[i] !== lineFeed || start + i === size - 1) continue;
      found++;
      if (found === count) return { offset: start + i + 1, found };
    }
    end = start;
  }
  return { offset: 0, found: size === 0 ? 0 : found + 1 };
}

/** What the system says of a file that is there and cannot be read, whoever asks. */
const unreadable = new Set(["EACCES", "EIO", "ELOOP", "ENOTDIR", "ENXIO", "EPERM"]);

/** Opens a file for reading; `undefined` when there is none, or none that can be read. */
export async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    // Whoever opens a FIFO would wait for its writer.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
    return undefined;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || unreadable.has(code)) return undefined;
    throw error;
  }
}
