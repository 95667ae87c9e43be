import { closeSync, fstatSync, openSync, statSync, writeSync } from "node:fs";

/** Only root reads who did what. */
const mode = 0o600;

/**
 * A file of lines that can be rotated by renaming it. It stays open: a line is written also when no descriptor is
 * left, and to the file that was renamed when no new one can be made.
 */
export class AuditFile {
  readonly #path: string;
  #fd: number | undefined;
  /** Whether the last line was cut off by a full disk. */
  #torn = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws the system's error when the line could not be written as a whole */
  append(line: string): void {
    const fd = this.#current();
    const bytes = Buffer.from(`${this.#torn ? "\n" : ""}${line}\n`);
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(fd, bytes, written);
      this.#torn = false;
    } catch (error) {
      this.#torn ||= written > 0;
      throw error;
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #current(): number {
    const open = this.#fd;
    if (open !== undefined && this.#isAt(open)) return open;
    try {
      this.#fd = openSync(this.#path, "a", mode);
    } catch (error) {
      if (open === undefined) throw error;
      return open;
    }
    if (open !== undefined) closeSync(open);
    this.#torn = false;
    return this.#fd;
  }

  #isAt(fd: number): boolean {
    const there = statSync(this.#path, { throwIfNoEntry: false });
    const { dev, ino } = fstatSync(fd);
    return there?.dev === dev && there.ino === ino;
  }
}
