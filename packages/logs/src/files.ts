import { type FileHandle, open, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { createGunzip } from "node:zlib";

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
  for (const entry of await readdir(dirname(path)).catch(() => [])) {
    if (!entry.startsWith(`${name}.`)) continue;
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

/** Whole lines of a file from its beginning, as many at a time as are read; a line that is cut off at the end is left out. */
export async function* linesOf(file: { handle: FileHandle; compressed: boolean }): AsyncGenerator<string[]> {
  const raw = file.handle.createReadStream({ start: 0, autoClose: false, highWaterMark: chunkBytes });
  const source = file.compressed ? raw.pipe(createGunzip()) : raw;
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of source) {
      const data: Buffer = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
      const lines: string[] = [];
      let start = 0;
      for (let end = data.indexOf(lineFeed); end >= 0; end = data.indexOf(lineFeed, start)) {
        lines.push(data.toString("utf8", start, end));
        start = end + 1;
      }
      if (lines.length > 0) yield lines;
      rest = data.subarray(start);
    }
  } finally {
    raw.destroy();
  }
}

/** Finds where the last `count` lines of an open file of `size` bytes begin, reading backwards. `found` is how many there are. */
export async function tailOffset(handle: FileHandle, size: number, count: number): Promise<{ offset: number; found: number }> {
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

/** Opens a file for reading; `undefined` when there is none. */
export async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
