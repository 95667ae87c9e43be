import type { Duplex, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Socket } from "node:net";
import { connectAttach } from "./attach-client.ts";
import { DetachFilter } from "./detach.ts";
import { DirectConnection } from "./direct-connection.ts";

/** What a client wants of a process's streams. */
export interface AttachRequest {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  /** Bytes that end the attachment when they arrive in the input; none when empty. */
  detachKeys: readonly number[];
  /** What the output passes through when the client expects other frames than the process gives. */
  output?: Transform;
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
  /** The client's connection, when the shim can serve it without the engine between them. */
  #direct: DirectConnection | undefined;
  #socket: Socket | undefined;

  constructor(request: AttachRequest, client: Duplex) {
    const { promise, resolve } = Promise.withResolvers<AttachEnd>();
    this.done = promise;
    this.#finish = resolve;
    this.#request = request;
    this.#client = client;
    // What has to be looked at for detach keys, or framed, passes through here.
    this.#direct = (request.stdin && request.detachKeys.length > 0) || request.output !== undefined ? undefined : DirectConnection.of(client, request.stdin);
    client.once("close", () => resolve("gone"));
    client.once("error", () => resolve("gone"));
  }

  /**
   * Joins the client to the process that the shim serves at `path`. Output waits for `flow`: what
   * the OCI runtime says of a start that fails is no output of the process.
   */
  async join(path: string, process: string): Promise<void> {
    const { stdin, stdout, stderr } = this.#request;
    const { socket, handover } = await connectAttach(path, { process, stdin, stdout, stderr, handover: this.#direct !== undefined });
    this.#client.once("close", () => socket.destroy());
    if (this.#client.destroyed) socket.destroy();
    this.#socket = socket;
    // A process that said nothing may be over before its output is let flow.
    for (const event of ["end", "close", "error"]) socket.once(event, () => this.#outputEnded());
    if (handover) return this.#await(socket);
    this.#direct?.takeBack();
    this.#direct = undefined;
    this.#copyInput(socket);
  }

  /** What still passes through comes before the end. */
  #outputEnded(): void {
    const { output } = this.#request;
    if (output === undefined || output.readableEnded || output.destroyed) return this.#finish("ended");
    output.once("end", () => this.#finish("ended")).end();
    // When nothing has been let flow, nobody reads.
    if (output.readableFlowing === null) output.resume();
  }

  /** The shim serves the client itself; its end of `control` tells when that is over. */
  #await(control: Socket): void {
    control.once("close", () => this.#takeBack());
    control.once("end", () => control.destroy());
    control.resume();
    if (!this.#request.stdin) this.#client.resume();
  }

  /** The client's end must be seen, so what it still sends is read and forgotten. */
  #takeBack(): void {
    this.#direct?.takeBack();
    this.#direct = undefined;
    this.#client.resume();
  }

  /** Lets the output of the process, which has started, go to the client. */
  flow(): void {
    const { output } = this.#request;
    if (output !== undefined) this.#socket?.pipe(output).pipe(this.#client, { end: false });
    else if (this.#direct === undefined) this.#socket?.pipe(this.#client, { end: false });
    else if (this.#socket !== undefined && !this.#socket.destroyed) this.#direct.handOver(this.#socket).catch(() => this.abandon());
  }

  /** Ends the wait of a client whose process will never come. */
  abandon(): void {
    this.#socket?.destroy();
    this.#takeBack();
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
