import { PassThrough, Readable, pipeline } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { BadArchive, UnexpectedEof } from "../tar/errors.ts";
import { type Compression, detectCompression, magicBytes } from "./detect.ts";
import { externalDecoder } from "./external.ts";

/** Large pieces: each costs a turn of the event loop. */
const chunkSize = 1 << 18;

function decoderOf(compression: Compression): NodeJS.ReadWriteStream {
  if (compression === "gzip") return createGunzip({ chunkSize });
  if (compression === "zstd") {
    return createZstdDecompress({ chunkSize });
  }
  return compression === "uncompressed" ? new PassThrough() : externalDecoder(compression);
}

/** A decoder's error in the words that Docker's users know. */
function decodeError(compression: Compression, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (
    code === "Z_BUF_ERROR" ||
    (code?.startsWith("ZSTD_") === true && /truncated|unexpected|incomplete/i.test(message))
  )
    return new UnexpectedEof(error);
  if (code?.startsWith("Z_") === true || code?.startsWith("ZSTD_") === true)
    return new BadArchive(`${compression}: ${message}`, { cause: error });
  return error;
}

/** The first bytes of a stream, enough to tell its compression, and the whole of it. */
async function peek(source: AsyncIterable<Uint8Array>): Promise<{ start: Buffer; whole: AsyncIterable<Buffer> }> {
  const iterator = source[Symbol.asyncIterator]();
  let start: Buffer = Buffer.alloc(0);
  while (start.length < magicBytes) {
    const next = await iterator.next();
    if (next.done === true) break;
    start = start.length === 0 ? asBuffer(next.value) : Buffer.concat([start, next.value]);
  }
  async function* whole(): AsyncGenerator<Buffer> {
    try {
      if (start.length > 0) yield start;
      for (;;) {
        const next = await iterator.next();
        if (next.done === true) return;
        yield asBuffer(next.value);
      }
    } finally {
      await iterator.return?.();
    }
  }
  return { start, whole: whole() };
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * The plain bytes of a stream that may be packed with gzip, zstd, bzip2 or xz, told by its magic.
 * @throws UnexpectedEof when the packed stream ends early, BadArchive when it is damaged
 */
export async function* decompress(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const { start, whole } = await peek(source);
  const compression = detectCompression(start);
  if (compression === "uncompressed") {
    yield* whole;
    return;
  }
  let sourceError: unknown;
  async function* noted(): AsyncGenerator<Buffer> {
    try {
      yield* whole;
    } catch (error) {
      sourceError = error;
      throw error;
    }
  }
  // What goes wrong comes out of the iteration below.
  const decoder = pipeline(Readable.from(noted(), { objectMode: true }), decoderOf(compression), () => undefined);
  try {
    for await (const chunk of decoder) yield chunk as Buffer;
  } catch (error) {
    throw sourceError ?? decodeError(compression, error);
  }
}
