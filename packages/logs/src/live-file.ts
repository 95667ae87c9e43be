import type { FileHandle } from "node:fs/promises";

const lineFeed = 10;

/** Reads the lines that are, and will be, in one open file; it keeps reading it after a rotation renamed it. */
export class LiveFile {
  readonly #handle: FileHandle;
  #offset: number;
  readonly #limit: number;
  #rest: Buffer = Buffer.alloc(0);
  readonly #buffer = Buffer.allocUnsafe(256 << 10);

  /** @param limit the offset at which reading ends, for a reader that does not follow a log that grows */
  constructor(handle: FileHandle, offset: number, limit = Number.POSITIVE_INFINITY) {
    this.#handle = handle;
    this.#limit = limit;
    this.#offset = offset;
  }

  /** The whole lines that have come since the last call. */
  async next(): Promise<string[]> {
    const { size } = await this.#handle.stat();
    if (size < this.#offset) {
      // A log of one file is emptied when it is full.
      this.#offset = 0;
      this.#rest = Buffer.alloc(0);
    }
    const lines: string[] = [];
    while (lines.length < 4096) {
      const wanted = Math.min(this.#buffer.length, this.#limit - this.#offset);
      if (wanted <= 0) break;
      const { bytesRead } = await this.#handle.read(this.#buffer, 0, wanted, this.#offset);
      if (bytesRead === 0) break;
      this.#offset += bytesRead;
      const data = Buffer.concat([this.#rest, this.#buffer.subarray(0, bytesRead)]);
      let start = 0;
      for (let end = data.indexOf(lineFeed); end >= 0; end = data.indexOf(lineFeed, start)) {
        lines.push(data.toString("utf8", start, end));
        start = end + 1;
      }
      this.#rest = data.subarray(start);
    }
    return lines;
  }

  /** Tells one file from another, whatever they are called. */
  async identity(): Promise<string> {
    const { dev, ino } = await this.#handle.stat();
    return `${dev}:${ino}`;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
