import { closeSync, constants, openSync } from "node:fs";
import { Socket } from "node:net";
import { mkfifo } from "@longshore/sys";
import type { Bundle } from "../bundle.ts";

/** The bundle's `log` fifo: what a shim writes to its stderr comes out of containerd's. */
class LogPipe {
  readonly #socket: Socket;

  /** Opened for both ways, so that the shim may come and go without an end of file. */
  constructor(path: string, write: (text: Buffer) => void) {
    try {
      mkfifo(path, 0o700);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    try {
      this.#socket = new Socket({ fd, readable: true, writable: false });
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    this.#socket.on("data", write);
    this.#socket.on("error", () => undefined);
    this.#socket.unref();
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** The log fifos of all bundles whose shims are there. */
export class LogPipes {
  readonly #pipes = new Map<string, LogPipe>();

  /** Takes what the shim of `bundle` writes to its stderr to ours. */
  open(bundle: Bundle): void {
    this.#pipes.set(bundle.path, new LogPipe(bundle.file("log"), (text) => process.stderr.write(text)));
  }

  close(bundle: Bundle): void {
    this.#pipes.get(bundle.path)?.close();
    this.#pipes.delete(bundle.path);
  }

  closeAll(): void {
    for (const pipe of this.#pipes.values()) pipe.close();
  }
}
