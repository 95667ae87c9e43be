import { statfsSync } from "node:fs";
import { BadArchive } from "../tar/errors.ts";
import { type ByteString } from "../tar/header.ts";
import { fsPath } from "../extract/path.ts";

/** So much is unpacked between two looks at the disk. */
const stepBytes = 16 << 20;
const stepEntries = 4096;
/** Left to others: bytes, or this part of a small disk, and files. */
const reserve = { bytes: 64 << 20, part: 1 / 64, files: 1024 };

/**
 * How much an archive may become. A small one may hold a file of any size: it ends at the configured number of bytes,
 * and before it has taken the last of the disk from everybody else.
 */
export class Room {
  readonly #root: ByteString;
  readonly #limit: number;
  #bytes = 0;
  #entries = 0;
  #checked = { bytes: 0, entries: 0 };

  /**
   * @param root the folder that is unpacked to
   * @param limit bytes at most; 0 for as many as the disk has
   */
  constructor(root: ByteString, limit = 0) {
    this.#root = root;
    this.#limit = limit;
  }

  /** Counts what has come out of the archive. @throws BadArchive `…: no space left on device`, or naming the limit */
  take(bytes: number, entries = 0): void {
    this.#bytes += bytes;
    this.#entries += entries;
    if (this.#limit > 0 && this.#bytes > this.#limit)
      throw new BadArchive(`the archive unpacks to more than ${this.#limit} bytes`);
    if (this.#bytes - this.#checked.bytes < stepBytes && this.#entries - this.#checked.entries < stepEntries) return;
    this.#checked = { bytes: this.#bytes, entries: this.#entries };
    const { bavail, blocks, bsize, ffree, files } = statfsSync(fsPath(this.#root));
    // File systems without a fixed number of files say 0.
    const isFull =
      bavail * bsize < Math.min(reserve.bytes, blocks * bsize * reserve.part) ||
      (files > 0 && ffree < Math.min(reserve.files, files * reserve.part));
    if (isFull) throw new BadArchive("write: no space left on device");
  }
}
