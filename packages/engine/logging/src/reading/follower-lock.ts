import type { FileHandle } from "node:fs/promises";
import { flock, LOCK } from "@longshore/sys";

/** Whoever takes a piece of the log and is not back after so long does not keep up, and is not waited for. In milliseconds. */
const patienceMs = 100;

/**
 * A follower's claim on the file that it reads, a shared lock: the shim begins no file before its followers have
 * left the one before the last (docs/stdio.md). So behind a claimed file always comes the live one.
 */
export class FollowerLock {
  #handle: FileHandle | undefined;
  #held = false;
  #timer: NodeJS.Timeout | undefined;

  /** Whether the file has been claimed without a break. */
  get held(): boolean {
    return this.#held;
  }

  /** Claims a file in place of the last, whose claim ends when it is closed. @returns false when that is not possible */
  take(handle: FileHandle): boolean {
    this.#handle = handle;
    this.#held = lock(handle, LOCK.SH | LOCK.NB);
    return this.#held;
  }

  /** The reader has given something away to be worked on, until `resume`. */
  pause(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.lose(), patienceMs);
    this.#timer.unref();
  }

  /** Gives the claim up: the reader is late, or the file is not the live one. */
  lose(): void {
    this.#held = false;
    if (this.#handle !== undefined) lock(this.#handle, LOCK.UN);
  }

  /** Reading goes on. A claim that was given up is made anew when the reader has come to the end. */
  resume(): void {
    clearTimeout(this.#timer);
  }
}

/** Some file systems know no locks. */
function lock({ fd }: FileHandle, operation: number): boolean {
  try {
    if (fd >= 0) flock(fd, operation);
    return fd >= 0;
  } catch {
    return false;
  }
}
