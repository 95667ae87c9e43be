import { randomBytes } from "node:crypto";
import { closeSync, constants, fdatasyncSync, fstatSync, ftruncateSync, openSync, writeSync } from "node:fs";

/** What one use takes at most. */
const portion = 128 << 10;
const block = 4096;
/** How soon a reserve that is not whole looks for space again. */
const refillMs = 5000;

/**
 * Some space on a disk, kept in a file for the moment when the disk is full: what has to be written to
 * remove something, or to record how a container ended, is small and must not fail.
 */
export class Reserve {
  readonly #path: string;
  readonly #bytes: number;
  #timer: NodeJS.Timeout | undefined;

  /** @param path of the file that holds the space; made by `fill` */
  constructor(path: string, bytes: number) {
    this.#path = path;
    this.#bytes = bytes;
  }

  /** Takes what is missing. A disk that has not so much is no error: it is asked again later. */
  fill(): void {
    try {
      this.#change((fd, size) => {
        if (size >= this.#bytes) return;
        for (let at = size; at < this.#bytes; at += block) {
          // Random, for some file systems keep nothing of zeros; synced, for others take the space only then.
          if (writeSync(fd, randomBytes(block), 0, block, at) < block) break;
        }
        fdatasyncSync(fd);
      });
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.fill();
      }, refillMs).unref();
    }
  }

  /** Gives some of the space back to the disk, until `fill` is called. @returns whether there was any */
  release(): boolean {
    let released = false;
    this.#change((fd, size) => {
      released = size > 0;
      ftruncateSync(fd, Math.max(0, size - portion));
    });
    return released;
  }

  #change(work: (fd: number, size: number) => void): void {
    const fd = openSync(this.#path, constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      work(fd, fstatSync(fd).size);
    } finally {
      closeSync(fd);
    }
  }

  /** Does `work`, and as long as the disk is full for it again with some of the space that is kept here. */
  async spend<T>(work: () => Promise<T>): Promise<T> {
    let used = false;
    try {
      for (;;) {
        try {
          return await work();
        } catch (error) {
          if (!isDiskFull(error) || !this.release()) throw error;
          used = true;
        }
      }
    } finally {
      if (used) this.fill();
    }
  }

  /** Stops looking for space. The file stays for the next start. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** Whether a thrown value says that the disk, or somebody's share of it, is full. */
export function isDiskFull(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === "ENOSPC" || code === "EDQUOT";
}
