import { Duplex } from "node:stream";
import { Demultiplexer } from "@longshore/containers";
import { InvalidArgument } from "@longshore/errdefs";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import { takeConnection } from "./hijack.ts";

interface Output {
  multiplexed: boolean;
  binary: boolean;
}

const server = new WebSocketServer({ noServer: true, perMessageDeflate: false });

/**
 * Answers the handshake of a web socket.
 * @param output.multiplexed whether what will be written has Docker's frames, which are taken off; `binary` whether output is sent
 *   as binary messages, or as text, which holds what is no UTF-8 only by rule's breach, as Docker's does
 * @throws InvalidArgument when the client asked for no web socket
 */
export async function acceptWebSocket(request: FastifyRequest, reply: FastifyReply, output: Output): Promise<Duplex> {
  if (request.headers.upgrade?.toLowerCase() !== "websocket") throw new InvalidArgument("not websocket protocol");
  const socket = takeConnection(request, reply, 101);
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
  // A handshake that is refused is answered by the library, which then ends the connection.
  socket.once("close", () => reject(new InvalidArgument("the web socket was closed during its handshake")));
  server.handleUpgrade(request.raw, socket, Buffer.alloc(0), (client) => resolve(new WebSocketStream(client, output)));
  return promise;
}

/** A web socket as raw bytes: each piece of output is a binary message, and messages of either kind are input. */
class WebSocketStream extends Duplex {
  readonly #client: WebSocket;
  readonly #binary: boolean;
  readonly #demultiplexer: Demultiplexer | undefined;

  constructor(client: WebSocket, { multiplexed, binary }: Output) {
    super();
    this.#client = client;
    this.#binary = binary;
    this.#demultiplexer = multiplexed ? new Demultiplexer() : undefined;
    client.on("message", (data: RawData) => {
      // Text comes as bytes too: `binaryType` is that of Buffers.
      if (!this.push(data as Buffer)) client.pause();
    });
    client.on("close", () => this.destroy());
    client.on("error", (error) => this.destroy(error));
  }

  override _read(): void {
    this.#client.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const pieces: Buffer[] = [];
    if (this.#demultiplexer === undefined) pieces.push(chunk);
    else this.#demultiplexer.push(chunk, (_stream, payload) => pieces.push(payload));
    if (pieces.length === 0) return done();
    const last = pieces.length - 1;
    // They go in order: the last one's end is the end of all.
    for (const [index, piece] of pieces.entries())
      this.#client.send(piece, { binary: this.#binary }, index === last ? done : () => undefined);
  }

  override _final(done: () => void): void {
    const normal = 1000;
    this.#client.close(normal);
    done();
  }
}
