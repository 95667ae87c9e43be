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
  #socket: Socket | undefined;

  constructor(request: AttachRequest, client: Duplex) {
    const { promise, resolve } = Promise.withResolvers<AttachEnd>();
    this.done = promise;
    this.#finish = resolve;
    this.#request = request;
    this.#client = client;
    client.once("close", () => resolve("gone"));
    client.once("error", () => resolve("gone"));
  }

  /**
   * Joins the client to the process that the shim serves at `path`. Output waits for `flow`: what
   * the OCI runtime says of a start that fails is no output of the process.
   */
  async join(path: string, process: string): Promise<void> {
    const { stdin, stdout, stderr } = this.#request;
    const { socket } = await connectAttach(path, { process, stdin, stdout, stderr });
    this.#client.once("close", () => socket.destroy());
    if (this.#client.destroyed) socket.destroy();
    this.#socket = socket;
    // A process that said nothing may be over before its output is let flow.
    for (const event of ["end", "close", "error"]) socket.once(event, () => this.#finish("ended"));
    this.#copyInput(socket);
  }

  /** Lets the output of the process, which has started, go to the client. */
  flow(): void {
    this.#socket?.pipe(this.#client, { end: false });
  }

  /** Ends the wait of a client whose process will never come. */
  abandon(): void {
    this.#socket?.destroy();
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
}
