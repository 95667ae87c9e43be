import { BadArchive } from "../tar/errors.ts";

/** Bytes that one archive may have kept in memory until its end: some million folders. */
const archiveMemory = 256 << 20;
/** What a kept name costs beside its characters. */
const overhead = 128;

/** Counts what is kept of an archive until it has ended: names of folders, links and the like. */
export class KeptMemory {
  readonly #limit: number;
  #kept = 0;

  constructor(limit = archiveMemory) {
    this.#limit = limit;
  }

  /** @param texts that are remembered together @throws BadArchive when the archive has had its share */
  keep(...texts: readonly string[]): void {
    this.#kept += texts.reduce((sum, { length }) => sum + length, overhead);
    if (this.#kept > this.#limit)
      throw new BadArchive(
        `the archive has too many entries to be kept in mind: more than ${this.#limit} bytes of names`,
      );
  }
}
