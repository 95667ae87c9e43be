import { once } from "node:events";
import type { Socket } from "node:net";
import { Unavailable } from "@longshore/errdefs";
import { decode } from "@msgpack/msgpack";

/** How long a server may think about a chunk, and how long what it says may be, in milliseconds and bytes. */
const ackMs = 60_000;
const maxBytes = 4096;

/** What a server says on a connection: `{"ack": chunk}` for each chunk. */
export class Acks {
  readonly #socket: Socket;
  #held = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (data: Buffer) => {
      this.#held = Buffer.concat([this.#held, data]).subarray(0, maxBytes);
      socket.emit("held");
    });
  }

  /** The next one. @throws Unavailable when the server goes away, says something else, or nothing for too long */
  async next(signal: AbortSignal): Promise<string> {
    const gone = new AbortController();
    const close = (): void => gone.abort();
    this.#socket.once("close", close);
    try {
      for (;;) {
        const ack = this.#take();
        if (ack !== undefined) return ack;
        await once(this.#socket, "held", {
          signal: AbortSignal.any([signal, gone.signal, AbortSignal.timeout(ackMs)]),
        });
      }
    } catch (error) {
      throw new Unavailable("fluentd has not acknowledged what it was sent", { cause: error });
    } finally {
      this.#socket.off("close", close);
    }
  }

  #take(): string | undefined {
    if (this.#held.length === 0) return undefined;
    let said: unknown;
    try {
      said = decode(this.#held);
    } catch (error) {
      if (error instanceof RangeError && this.#held.length < maxBytes) return undefined;
      throw error;
    }
    this.#held = Buffer.alloc(0);
    if (typeof said === "object" && said !== null && "ack" in said && typeof said.ack === "string") return said.ack;
    throw new Unavailable("fluentd has said what is no acknowledgement");
  }
}
