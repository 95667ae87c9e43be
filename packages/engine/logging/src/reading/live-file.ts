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

  /** Where the next line begins. */
  get offset(): number {
    return this.#offset;
  }

  /** The whole lines that have come since the last call, valid until the next; none when there are no more for now. */
  async next(): Promise<Buffer> {
    for (;;) {
      const wanted = Math.min(this.#buffer.length, this.#limit - this.#offset);
      const bytesRead = wanted <= 0 ? 0 : (await this.handle.read(this.#buffer, 0, wanted, this.#offset)).bytesRead;
      const end = bytesRead === 0 ? 0 : this.#buffer.subarray(0, bytesRead).lastIndexOf(lineFeed) + 1;
      // A line that is cut off is read again when it is whole: kept, it might be joined with the end of another
      // one, after the file was emptied and filled again. No record is so long as the buffer.
      if (end === 0 && bytesRead === this.#buffer.length) {
        this.#offset += bytesRead;
        continue;
      }
      if (end === 0 && (await this.#wasEmptied())) continue;
      this.#offset += end;
      return this.#buffer.subarray(0, end);
    }
  }

  /** A log of one file is emptied when it is full: it goes on at its beginning. */
  async #wasEmptied(): Promise<boolean> {
    const { size } = await this.handle.stat();
    if (size >= this.#offset) return false;
    this.#offset = 0;
    return size > 0;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}
