import { InvalidArgument, NotImplemented, ResourceExhausted } from "@longshore/errdefs";
import { fromBinary } from "@longshore/proto/message";
import { type Request, RequestSchema } from "@longshore/proto/ttrpc/ttrpc";
import { type Frame, FrameDecoder, encodeFrame, frameFlag, frameType, maxFrameData } from "./frame.ts";
import type { Services } from "./service.ts";
import { ServerCall } from "./server-call.ts";
import type { SocketEvents, StreamSocket } from "./socket.ts";
import { encodeError } from "./status.ts";

/** The server's end of one connection: checks the protocol and hands frames to their calls. */
export class ServerConnection {
  readonly #socket: StreamSocket;
  readonly #services: Services;
  readonly #calls = new Map<number, ServerCall>();
  /** Who waits until the socket takes more. */
  #waiting: (() => void)[] = [];
  #lastId = 0;
  readonly events: SocketEvents;

  /** `closed` is called when the connection is gone. */
  constructor(socket: StreamSocket, services: Services, closed: () => void) {
    this.#socket = socket;
    this.#services = services;
    const decoder = new FrameDecoder((frame) => this.#receive(frame));
    this.events = {
      received: (chunk) => decoder.push(chunk),
      drained: () => this.#wake(),
      closed: () => {
        for (const call of this.#calls.values()) call.abort();
        this.#calls.clear();
        this.#wake();
        closed();
      },
    };
  }

  get idle(): boolean {
    return this.#calls.size === 0;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Writes a frame; resolves when the socket takes more. */
  async write(id: number, type: number, flags: number, data: Uint8Array): Promise<void> {
    if (this.#socket.destroyed || this.#socket.write(encodeFrame(id, type, flags, data))) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #refuse(id: number, error: unknown): void {
    void this.write(id, frameType.response, 0, encodeError(error));
  }

  #receive(frame: Frame): void {
    if (frame.oversize) {
      this.#refuse(
        frame.streamId,
        new ResourceExhausted(`message length exceeds maximum message size of ${maxFrameData}`),
      );
      this.#calls.get(frame.streamId)?.abort();
    } else if (frame.type === frameType.request) this.#open(frame);
    else if (frame.type === frameType.data) this.#data(frame);
  }

  #open({ streamId, flags, data }: Frame): void {
    if (streamId % 2 !== 1)
      return this.#refuse(streamId, new InvalidArgument("StreamID must be odd for client initiated streams"));
    if (streamId <= this.#lastId)
      return this.#refuse(streamId, new InvalidArgument(`StreamID ${streamId} cannot be re-used`));
    this.#lastId = streamId;
    let request: Request;
    try {
      request = fromBinary(RequestSchema, data);
    } catch (cause) {
      return this.#refuse(streamId, new InvalidArgument("unmarshal request error", { cause }));
    }
    const endpoint = this.#services.find(request.service, request.method);
    if (endpoint === undefined) {
      const what = this.#services.has(request.service) ? `method ${request.method}` : `service ${request.service}`;
      return this.#refuse(streamId, new NotImplemented(what));
    }
    const call = new ServerCall(this, streamId, endpoint, request, (flags & frameFlag.remoteOpen) !== 0);
    this.#calls.set(streamId, call);
    void call.run().finally(() => this.#calls.delete(streamId));
  }

  #data({ streamId, flags, data }: Frame): void {
    const call = this.#calls.get(streamId);
    if (call === undefined || call.inbox.ended)
      return this.#refuse(streamId, new InvalidArgument("StreamID is no longer active"));
    const closed = (flags & frameFlag.remoteClosed) !== 0;
    if (closed && data.length > 0) {
      this.#refuse(streamId, new InvalidArgument("data close message cannot include data"));
      return call.abort();
    }
    if ((flags & frameFlag.noData) === 0 && !closed) call.inbox.push(data);
    if (closed) call.inbox.end();
  }
}
