import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Socket } from "node:net";
import { connectAttach } from "./attach-client.ts";
import { DetachFilter } from "./detach.ts";

/** What a client wants of a process's streams. */
export interface AttachRequest {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  /** Bytes that end the attachment when they arrive in the input; none when empty. */
  detachKeys: readonly number[];
}

export type AttachEnd = "ended" | "detached" | "gone";

/**
 * One client that is, or will be, attached to a process. It is made with the client's side of the
 * connection and joined to the shim's side when the process exists; until then the client waits.
 */
export class Attachment {
  readonly done: Promise<AttachEnd>;
  readonly #request: AttachRequest;
  readonly #client: Duplex;
  readonly #finish: (end: AttachEnd) => void;
  #output: NodeJS.WritableStream | undefined;

  /** @param output takes the process's output instead of the client's side itself (to reframe it) */
  constructor(request: AttachRequest, client: Duplex, output?: NodeJS.WritableStream) {
    const { promise, resolve } = Promise.withResolvers<AttachEnd>();
    this.done = promise;
    this.#finish = resolve;
    this.#request = request;
    this.#client = client;
    this.#output = output;
    client.once("close", () => resolve("gone"));
    client.once("error", () => resolve("gone"));
  }

  /** Joins the client to the process that the shim serves at `path`. */
  async join(path: string, process: string): Promise<void> {
    const { stdin, stdout, stderr } = this.#request;
    const { socket } = await connectAttach(path, { process, stdin, stdout, stderr });
    this.#client.once("close", () => socket.destroy());
    if (this.#client.destroyed) socket.destroy();
    this.#copyInput(socket);
    this.#copyOutput(socket);
  }

  /** Ends the wait of a client whose process will never come. */
  abandon(): void {
    this.#finish("ended");
  }

  #copyInput(socket: Socket): void {
    if (!this.#request.stdin) {
      socket.end();
      // The half-close of a client that sends nothing must still be noticed.
      this.#client.resume();
      return;
    }
    const filter = new DetachFilter(this.#request.detachKeys, () => {
      this.#finish("detached");
      socket.destroy();
    });
    pipeline(this.#client, filter, socket).catch(() => undefined);
  }

  #copyOutput(socket: Socket): void {
    const output = this.#output ?? this.#client;
    socket.pipe(output, { end: false });
    socket.once("end", () => this.#finish("ended"));
    socket.once("close", () => this.#finish("ended"));
    socket.once("error", () => this.#finish("ended"));
  }
}
