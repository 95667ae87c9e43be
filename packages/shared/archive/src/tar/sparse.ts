import { numberAt } from "./block.ts";
import { InvalidTarHeader } from "./errors.ts";
import { type SparseChunk, maxMetaBytes } from "./header.ts";
import { parsePaxNumber } from "./pax.ts";

/** The sparse map of an old GNU header (type flag S), of which extension blocks may follow. */
export function gnuSparseHeader(block: Buffer): { chunks: SparseChunk[]; realSize: number; extended: boolean } {
  return { chunks: gnuSparseChunks(block, 386, 4), realSize: numberAt(block, 483, 12), extended: block[482] !== 0 };
}

/** An extension block behind an old GNU sparse header. */
export function gnuSparseExtension(block: Buffer): { chunks: SparseChunk[]; extended: boolean } {
  return { chunks: gnuSparseChunks(block, 0, 21), extended: block[504] !== 0 };
}

function gnuSparseChunks(block: Buffer, offset: number, count: number): SparseChunk[] {
  const chunks: SparseChunk[] = [];
  for (let index = 0; index < count; index++) {
    const at = offset + index * 24;
    if (block[at] === 0) break;
    chunks.push({ offset: numberAt(block, at, 12), size: numberAt(block, at + 12, 12) });
  }
  return chunks;
}

/** The sparse map of PAX formats 0.0 and 0.1: offsets and sizes in turn. */
export function sparseChunksOf(numbers: readonly string[]): SparseChunk[] {
  if (numbers.length % 2 !== 0) throw new InvalidTarHeader();
  const chunks: SparseChunk[] = [];
  for (let at = 0; at < numbers.length; at += 2) {
    chunks.push({ offset: parsePaxNumber(numbers[at] as string), size: parsePaxNumber(numbers[at + 1] as string) });
  }
  return chunks;
}

/** Chunks of one file at most: as many as a map of the longest kind could name. */
export const maxSparseChunks = maxMetaBytes / 4;

/** The sparse map that stands before the data in PAX format 1.0: decimal lines, the first of which counts the pairs. */
export class SparseMap {
  #text = "";
  #lines = 0;
  /** Lines of the whole map, once the first one is there. */
  #wanted: number | undefined;

  /** Takes a block. @returns the chunks once the map is complete */
  add(text: string): SparseChunk[] | undefined {
    this.#text += text;
    if (this.#text.length > maxMetaBytes) throw new InvalidTarHeader();
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#lines++;
    if (this.#wanted === undefined) {
      if (this.#lines === 0) return undefined;
      const count = parsePaxNumber(this.#text.slice(0, this.#text.indexOf("\n")));
      if (count < 0 || count > maxSparseChunks) throw new InvalidTarHeader();
      this.#wanted = 1 + count * 2;
    }
    return this.#lines < this.#wanted ? undefined : sparseChunksOf(this.#text.split("\n", this.#wanted).slice(1));
  }
}

/** Checks that the chunks rise, stay inside the file and hold just the bytes that the archive has. */
export function checkSparse(chunks: readonly SparseChunk[], realSize: number, stored: number): void {
  let end = 0;
  let total = 0;
  for (const { offset, size } of chunks) {
    if (offset < end || size < 0 || offset + size > realSize) throw new InvalidTarHeader();
    end = offset + size;
    total += size;
  }
  if (total !== stored) throw new InvalidTarHeader();
}
