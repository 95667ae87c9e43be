import type { FileHandle } from "node:fs/promises";
import { constants, createGunzip } from "node:zlib";
import { DataLoss } from "@longshore/errdefs";

const lineFeed = 10;
const chunkBytes = 256 << 10;

/**
 * Whole lines of a file from its beginning, as many at a time as are read; a line that is cut off at the end is left out.
 * @throws DataLoss, when all that could be read has been given, if that was not the whole of a compressed file
 */
export async function* linesOf({
  handle,
  compressed,
}: {
  handle: FileHandle;
  compressed: boolean;
}): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of compressed ? inflated(handle) : stored(handle)) {
    const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const end = data.lastIndexOf(lineFeed) + 1;
    if (end > 0) yield data.subarray(0, end);
    rest = data.subarray(end);
  }
}

async function* stored(handle: FileHandle): AsyncGenerator<Buffer> {
  const raw = handle.createReadStream({ start: 0, autoClose: false, highWaterMark: chunkBytes });
  for await (const chunk of raw) yield chunk as Buffer;
}

async function* inflated(handle: FileHandle): AsyncGenerator<Buffer> {
  // The stream closes the file, whatever it is told.
  const wanted = await storedLength(handle);
  const raw = handle.createReadStream({ start: 0, autoClose: false });
  // What comes before the place where a file was cut off is worth having.
  const gunzip = createGunzip({ chunkSize: chunkBytes, finishFlush: constants.Z_SYNC_FLUSH });
  raw.on("error", (error) => gunzip.destroy(error)).pipe(gunzip);
  let length = 0;
  try {
    for await (const chunk of gunzip) {
      length += (chunk as Buffer).length;
      yield chunk as Buffer;
    }
  } catch (error) {
    if (!String((error as NodeJS.ErrnoException).code).startsWith("Z_")) throw error;
    throw new DataLoss("what it was compressed to is damaged", { cause: error });
  } finally {
    raw.destroy();
  }
  if (wanted !== length % 2 ** 32) throw new DataLoss("it ends too early");
}

/** The length before compression that a gzip file has at its end, modulo 2³². */
async function storedLength(handle: FileHandle): Promise<number | undefined> {
  const { size } = await handle.stat();
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, Math.max(0, size - 4));
  return bytesRead === 4 ? buffer.readUInt32LE() : undefined;
}
