import { closeSync, fdatasync, fdatasyncSync } from "node:fs";
import { promisify } from "node:util";

const sync = promisify(fdatasync);

/** How long what nobody waits for may stay off the disk, in milliseconds. */
const lazyMs = 1000;

/**
 * Brings what is written to a file, such as SQLite's log, to the disk: one sync for all who wait for it at a
 * time, beside the event loop.
 */
export class GroupSync {
  readonly #fd: number;
  /** Counts writes, and how many of them are known to be on the disk. */
  #written = 0;
  #synced = 0;
  #running: Promise<void> | undefined;
  #lazy: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param fd of the file, which is closed by `close` */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Something has been written. */
  written(): void {
    this.#written++;
    // A failure is told to those who wait for their own writes.
    this.#lazy ??= setTimeout(() => {
      this.#lazy = undefined;
      this.synced().catch(() => undefined);
    }, lazyMs).unref();
  }

  /** Resolves when all that was written before this call is on the disk. @throws the system's error */
  async synced(): Promise<void> {
    const wanted = this.#written;
    while (this.#synced < wanted && !this.#closed) await (this.#running ??= this.#run());
  }

  async #run(): Promise<void> {
    const upTo = this.#written;
    try {
      await sync(this.#fd);
      this.#synced = upTo;
    } finally {
      this.#running = undefined;
    }
  }

  /** Brings what is left to the disk and closes the file. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#lazy);
    if (this.#synced < this.#written) fdatasyncSync(this.#fd);
    const close = (): void => closeSync(this.#fd);
    if (this.#running === undefined) close();
    else void this.#running.then(close, close);
  }
}
