import type { Duplex, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Socket } from "node:net";
import type { LogEnd } from "@longshore/logging";
import { type AttachOptions, connectAttach, mostDetachKeys } from "./attach-client.ts";
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
  /** The client is given the log first: its streams go on where that ends, once `proceed` is called. */
  log?: boolean;
}

/** `ended`: the process has; `abandoned`: it never came; `gone`: the client has. */
export type AttachEnd = "ended" | "abandoned" | "detached" | "gone";

/**
 * One client that is, or will be, attached to a process. It is made with the client's side of the
 * connection and joined to the shim's side when the process exists; until then the client waits.
 */
export class Attachment {
  readonly done: Promise<AttachEnd>;
  /** Up to where the client is to be given the log, once it is joined to a process that ran before. */
  logEnd: LogEnd | undefined;
  readonly #request: AttachRequest;
  readonly #client: Duplex;
  readonly #finish: (end: AttachEnd) => void;
  /** The client's connection, when the shim can serve it without the engine between them. */
  #direct: DirectConnection | undefined;
  #socket: Socket | undefined;
  /** The log is still being given. */
  #held: boolean;
  #started = false;
  #passes = false;
  /** The shim waits for a byte before anything flows. */
  #locked = false;

  constructor(request: AttachRequest, client: Duplex) {
    const { promise, resolve } = Promise.withResolvers<AttachEnd>();
    this.done = promise;
    this.#held = request.log === true;
    this.#finish = resolve;
    this.#request = request;
    this.#client = client;
    // What has to be framed passes through here.
    this.#direct =
      request.detachKeys.length > mostDetachKeys || request.output !== undefined
        ? undefined
        : DirectConnection.of(client, request.stdin);
    client.once("close", () => resolve("gone"));
    client.once("error", () => resolve("gone"));
  }

  /**
   * Joins the client to the process that the shim serves at `path`. Output waits for `flow`: what
   * the OCI runtime says of a start that fails is no output of the process.
   */
  async join(path: string, process: string): Promise<void> {
    const { socket, handover, logEnd } = await this.#connect(path, process);
    this.#client.once("close", () => socket.destroy());
    if (this.#client.destroyed) socket.destroy();
    this.#socket = socket;
    this.logEnd = logEnd;
    // A process that said nothing may be over before its output is let flow.
    for (const event of ["end", "close", "error"]) socket.once(event, () => this.#outputEnded());
    if (handover) return this.#await(socket);
    this.#direct?.takeBack();
    this.#direct = undefined;
    this.#locked = logEnd !== undefined;
    if (!this.#locked) this.#copyInput(socket);
  }

  async #connect(path: string, process: string): ReturnType<typeof connectAttach> {
    const { stdin, stdout, stderr, log = false } = this.#request;
    const detachKeys = stdin ? this.#request.detachKeys : [];
    const wants = { process, stdin, stdout, stderr, log };
    const through: AttachOptions = { ...wants, handover: false, detachKeys: [] };
    if (this.#direct === undefined) return connectAttach(path, through);
    const joined = await connectAttach(path, { ...wants, handover: true, detachKeys });
    if (detachKeys.length === 0 || joined.detachKeys) return joined;
    // A shim from before it knew of keys runs on: they are searched for here.
    joined.socket.destroy();
    this.#direct.takeBack();
    this.#direct = undefined;
    return connectAttach(path, through);
  }

  /** What still passes through comes before the end. */
  #outputEnded(): void {
    const { output } = this.#request;
    if (output === undefined || output.readableEnded || output.destroyed) return this.#finish("ended");
    output.once("end", () => this.#finish("ended")).end();
    // When nothing has been let flow, nobody reads.
    if (output.readableFlowing === null) output.resume();
  }

  /** The shim serves the client itself; its end of `control` tells when that is over, and a line before it that the client has detached. */
  #await(control: Socket): void {
    control.once("close", () => this.#takeBack());
    control.once("end", () => control.destroy());
    control.on("data", () => this.#finish("detached")).resume();
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
    this.#started = true;
    this.#pass();
  }

  /** The client has got the log: output may follow. */
  proceed(): void {
    this.#held = false;
    this.#pass();
  }

  #pass(): void {
    const socket = this.#socket;
    if (this.#held || !this.#started || this.#passes || socket === undefined || socket.destroyed) return;
    this.#passes = true;
    if (this.#direct !== undefined) {
      this.#direct.handOver(socket).catch(() => this.abandon());
      return;
    }
    if (this.#locked) {
      socket.write(Buffer.alloc(1));
      this.#copyInput(socket);
    }
    const { output } = this.#request;
    (output === undefined ? socket : socket.pipe(output)).pipe(this.#client, { end: false });
  }

  /** Ends the wait of a client whose process will never come. */
  abandon(end: AttachEnd = "abandoned"): void {
    this.#socket?.destroy();
    this.#takeBack();
    this.#finish(end);
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
