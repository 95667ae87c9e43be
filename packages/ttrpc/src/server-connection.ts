import type { Socket } from "node:net";
import { InvalidArgument, NotImplemented, ResourceExhausted } from "@longshore/errdefs";
import { fromBinary } from "@longshore/proto/message";
import { type Request, RequestSchema } from "@longshore/proto/ttrpc/ttrpc";
import { type Frame, FrameDecoder, encodeFrame, frameFlag, frameType, maxFrameData } from "./frame.ts";
import type { Services } from "./service.ts";
import { ServerCall } from "./server-call.ts";
import { encodeError } from "./status.ts";

/** The server's end of one connection: checks the protocol and hands frames to their calls. */
export class ServerConnection {
  readonly #socket: Socket;
  readonly #services: Services;
  readonly #calls = new Map<number, ServerCall>();
  #lastId = 0;

  constructor(socket: Socket, services: Services) {
    this.#socket = socket;
    this.#services = services;
    const decoder = new FrameDecoder((frame) => this.#receive(frame));
    socket.on("data", (chunk: Buffer) => decoder.push(chunk));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      for (const call of this.#calls.values()) call.abort();
      this.#calls.clear();
    });
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
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#socket.off("drain", done).off("close", done);
        resolve();
      };
      this.#socket.on("drain", done).on("close", done);
    });
  }

  #refuse(id: number, error: unknown): void {
    void this.write(id, frameType.response, 0, encodeError(error));
  }

  #receive(frame: Frame): void {
    if (frame.oversize) {
      this.#refuse(frame.streamId, new ResourceExhausted(`message length exceeds maximum message size of ${maxFrameData}`));
      this.#calls.get(frame.streamId)?.abort();
    } else if (frame.type === frameType.request) this.#open(frame);
    else if (frame.type === frameType.data) this.#data(frame);
  }

  #open({ streamId, flags, data }: Frame): void {
    if (streamId % 2 !== 1) return this.#refuse(streamId, new InvalidArgument("StreamID must be odd for client initiated streams"));
    if (streamId <= this.#lastId) return this.#refuse(streamId, new InvalidArgument(`StreamID ${streamId} cannot be re-used`));
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
    if (call === undefined || call.inbox.ended) return this.#refuse(streamId, new InvalidArgument("StreamID is no longer active"));
    const closed = (flags & frameFlag.remoteClosed) !== 0;
    if (closed && data.length > 0) {
      this.#refuse(streamId, new InvalidArgument("data close message cannot include data"));
      return call.abort();
    }
    if ((flags & frameFlag.noData) === 0 && !closed) call.inbox.push(data);
    if (closed) call.inbox.end();
  }
}
