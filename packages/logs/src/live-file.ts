import type { FileHandle } from "node:fs/promises";

const lineFeed = 10;

/** Reads the lines that are, and will be, in one open file; it keeps reading it after a rotation renamed it. */
export class LiveFile {
  readonly handle: FileHandle;
  #offset: number;
  readonly #limit: number;
  readonly #buffer = Buffer.allocUnsafe(256 << 10);

  /** @param limit the offset at which reading ends, for a reader that does not follow a log that grows */
  constructor(handle: FileHandle, offset: number, limit = Number.POSITIVE_INFINITY) {
    this.handle = handle;
    this.#limit = limit;
    this.#offset = offset;
  }

  /** The whole lines that have come since the last call. */
  async next(): Promise<string[]> {
    const { size } = await this.handle.stat();
    // A log of one file is emptied when it is full.
    if (size < this.#offset) this.#offset = 0;
    const lines: string[] = [];
    while (lines.length < 4096) {
      const wanted = Math.min(this.#buffer.length, this.#limit - this.#offset);
      if (wanted <= 0) break;
      const { bytesRead } = await this.handle.read(this.#buffer, 0, wanted, this.#offset);
      const data = this.#buffer.subarray(0, bytesRead);
      let start = 0;
      for (let end = data.indexOf(lineFeed); end >= 0; end = data.indexOf(lineFeed, start)) {
        lines.push(data.toString("utf8", start, end));
        start = end + 1;
      }
      if (start > 0) this.#offset += start;
      // A line that is cut off is read again when it is whole: kept, it might be joined with the end of another
      // one, after the file was emptied and filled again. No record is so long as the buffer.
      else if (bytesRead === this.#buffer.length) this.#offset += bytesRead;
      else break;
    }
    return lines;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}
