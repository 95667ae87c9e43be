import { writeSync } from "node:fs";
import type { SparseChunk } from "../tar/header.ts";

/** Puts the stored bytes of a sparse file where they belong, holes left out. */
export class SparseWriter {
  readonly #fd: number;
  readonly #chunks: readonly SparseChunk[];
  #index = 0;
  #within = 0;

  constructor(fd: number, chunks: readonly SparseChunk[]) {
    this.#fd = fd;
    this.#chunks = chunks;
  }

  write(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      const chunk = this.#chunks[this.#index];
      // The parser has checked that the chunks hold just what is stored.
      if (chunk === undefined) return;
      const written = writeSync(
        this.#fd,
        bytes,
        at,
        Math.min(bytes.length - at, chunk.size - this.#within),
        chunk.offset + this.#within,
      );
      at += written;
      this.#within += written;
      while (this.#index < this.#chunks.length && this.#within >= (this.#chunks[this.#index] as SparseChunk).size) {
        this.#index++;
        this.#within = 0;
      }
    }
  }
}
