import { Internal, ResourceExhausted, Unavailable, messageOf, reasonOf } from "@longshore/errdefs";
import { connect } from "#socket";
import { fromBinary } from "@longshore/proto/message";
import { ResponseSchema } from "@longshore/proto/ttrpc/ttrpc";
import { type Frame, FrameDecoder, encodeFrame, frameFlag, frameType, maxFrameData } from "./frame.ts";
import { Inbox } from "./inbox.ts";
import type { SocketEvents, StreamSocket } from "./socket.ts";
import { errorOf } from "./status.ts";

/** The reason of errors that tell of the connection, not of the call. */
const connectionLost = "CONNECTION_LOST";

/** Whether a call failed because there is no connection, or none any more. */
export function isConnectionLost(error: unknown): boolean {
  return reasonOf(error) === connectionLost;
}

/** What a stream delivers: the payloads of data frames, then that of the final response, if any. */
export type Payloads = Inbox<Uint8Array>;

/** The client's end of one ttrpc connection; many calls share it. */
export class Connection {
  #socket!: StreamSocket;
  readonly #streams = new Map<number, Payloads>();
  #nextId = 1;
  #error: unknown;
  #drained: (() => void)[] = [];
  /** Settles, never rejecting, when the connection is gone. */
  readonly closed: Promise<void>;
  readonly #events: SocketEvents;

  private constructor() {
    const decoder = new FrameDecoder((frame) => this.#receive(frame));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#events = {
      received: (chunk) => decoder.push(chunk),
      drained: () => {
        for (const wake of this.#drained.splice(0)) wake();
      },
      closed: (error) => {
        this.#error ??= error;
        for (const id of [...this.#streams.keys()])
          this.#fail(id, new Unavailable("ttrpc: closed", { cause: this.#error, reason: connectionLost }));
        resolve();
      },
    };
  }

  /** Connects to a unix socket; with or without `unix://` before the path. */
  static async open(address: string): Promise<Connection> {
    const path = address.replace(/^unix:\/\//, "");
    const connection = new Connection();
    try {
      connection.#socket = await connect(path, connection.#events);
    } catch (cause) {
      throw new Unavailable(`ttrpc: cannot connect to ${path}: ${messageOf(cause)}`, { cause, reason: connectionLost });
    }
    return connection;
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Lets the process end although the connection is open. */
  unref(): void {
    this.#socket.unref();
  }

  /** Opens a stream with its request frame. Throws ResourceExhausted when that is too long. */
  start(request: Uint8Array, flags: number): { id: number; payloads: Payloads } {
    if (this.#socket.destroyed) throw new Unavailable("ttrpc: closed", { cause: this.#error, reason: connectionLost });
    const id = this.#nextId;
    this.#write(id, frameType.request, flags, request);
    this.#nextId += 2;
    const payloads: Payloads = new Inbox();
    this.#streams.set(id, payloads);
    return { id, payloads };
  }

  /** Sends a message on an open stream; resolves when the socket takes more. */
  async send(id: number, message: Uint8Array): Promise<void> {
    if (!this.#streams.has(id)) return;
    if (this.#write(id, frameType.data, 0, message)) return;
    await Promise.race([new Promise<void>((resolve) => this.#drained.push(resolve)), this.closed]);
  }

  closeSend(id: number): void {
    if (this.#streams.has(id))
      this.#write(id, frameType.data, frameFlag.remoteClosed | frameFlag.noData, new Uint8Array());
  }

  /** Stops listening to a stream; the protocol has no word to tell the server. */
  drop(id: number, error?: unknown): void {
    if (error === undefined) this.#streams.delete(id);
    else this.#fail(id, error);
  }

  #write(id: number, type: number, flags: number, data: Uint8Array): boolean {
    if (data.length > maxFrameData)
      throw new ResourceExhausted(`ttrpc: message length ${data.length} exceeds the maximum of ${maxFrameData}`);
    return this.#socket.write(encodeFrame(id, type, flags, data));
  }

  #receive(frame: Frame): void {
    const payloads = this.#streams.get(frame.streamId);
    if (payloads === undefined) return;
    if (frame.oversize)
      return this.#fail(
        frame.streamId,
        new ResourceExhausted(`ttrpc: response exceeds the maximum of ${maxFrameData}`),
      );
    if (frame.type === frameType.data) {
      if ((frame.flags & frameFlag.noData) === 0) payloads.push(frame.data);
      if ((frame.flags & frameFlag.remoteClosed) !== 0) this.#end(frame.streamId);
    } else if (frame.type === frameType.response) {
      this.#receiveResponse(frame, payloads);
    }
  }

  #receiveResponse(frame: Frame, payloads: Payloads): void {
    try {
      const response = fromBinary(ResponseSchema, frame.data);
      const error = errorOf(response);
      if (error !== undefined) return this.#fail(frame.streamId, error);
      payloads.push(response.payload);
      this.#end(frame.streamId);
    } catch (cause) {
      this.#fail(frame.streamId, new Internal("ttrpc: response cannot be decoded", { cause }));
    }
  }

  #end(id: number): void {
    this.#streams.get(id)?.end();
    this.#streams.delete(id);
  }

  #fail(id: number, error: unknown): void {
    this.#streams.get(id)?.fail(error);
    this.#streams.delete(id);
  }
}
