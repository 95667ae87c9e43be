import { once } from "node:events";
import { closeSync, constants, openSync } from "node:fs";
import { rm } from "node:fs/promises";
import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Unavailable } from "@longshore/errdefs";
import { mkfifo, unreadBytes } from "@longshore/sys";

/** How long a plugin may take to open its FIFO, and how often we look, in milliseconds. */
const openTimeoutMs = 10_000;
const openPauseMs = 20;

/** Our end of a FIFO that a plugin reads. */
export class Fifo {
  readonly path: string;
  readonly #fd: number;
  readonly #socket: Socket;
  #written = 0;
  #taken = 0;
  #error: Error | undefined;

  private constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
    this.#socket = new Socket({ fd, readable: false, writable: true });
    this.#socket.on("error", (error) => (this.#error = error));
  }

  static make(path: string): void {
    mkfifo(path, 0o700);
  }

  /** @throws Unavailable when nobody opens the other end */
  static async open(path: string, signal: AbortSignal): Promise<Fifo> {
    for (const deadline = performance.now() + openTimeoutMs; ;) {
      try {
        return new Fifo(path, openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENXIO") throw error;
        if (signal.aborted || performance.now() > deadline)
          throw new Unavailable(`nobody reads ${path}`, { cause: error });
        await sleep(openPauseMs);
      }
    }
  }

  /** How many bytes the reader has taken; as it was last known when it has gone. */
  get taken(): number {
    if (!this.#socket.destroyed) this.#taken = this.#written - this.#socket.writableLength - unreadBytes(this.#fd);
    return this.#taken;
  }

  get written(): number {
    return this.#written;
  }

  /** @throws Unavailable when nobody reads any more: a write tells, but there may be none for long */
  check(): void {
    if (this.#error !== undefined) throw this.#error;
    try {
      closeSync(openSync(this.path, constants.O_WRONLY | constants.O_NONBLOCK));
    } catch (error) {
      throw new Unavailable(`nobody reads ${this.path} any more`, { cause: error });
    }
  }

  /** Resolves when the pipe has room for more; rejects when the reader has gone, or `signal` aborts. */
  async write(bytes: Buffer, signal: AbortSignal): Promise<void> {
    if (this.#error !== undefined) throw this.#error;
    this.#written += bytes.length;
    if (!this.#socket.write(bytes)) await once(this.#socket, "drain", { signal });
  }

  /** The reader comes to the end. What it has not taken by then it can still read. */
  async close(): Promise<void> {
    if (this.#socket.destroyed) return;
    const closed = once(this.#socket, "close");
    this.#socket.destroy();
    await closed;
  }

  static async remove(path: string): Promise<void> {
    await rm(path, { force: true });
  }
}
