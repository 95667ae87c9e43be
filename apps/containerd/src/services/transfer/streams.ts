import type { Any } from "@bufbuild/protobuf/wkt";
import type { AnyStream, ByteChannel } from "@longshore/containerd-client";
import { AlreadyExists, Canceled, NotFound } from "@longshore/errdefs";

interface Outgoing {
  readonly message: Any;
  readonly taken: () => void;
  readonly failed: (error: unknown) => void;
}

/** One call of the Streaming service, as its consumer inside containerd sees it. */
export class ServerStream implements AnyStream {
  readonly #incoming: AsyncIterator<Any>;
  readonly #signal: AbortSignal;
  readonly channel: Promise<ByteChannel> | undefined;
  readonly #outgoing: Outgoing[] = [];
  #wake: () => void = () => undefined;
  #closed = false;

  /** @param channel over which the client exchanges the stream's bytes, if it has asked for one */
  constructor(incoming: AsyncIterator<Any>, signal: AbortSignal, channel?: Promise<ByteChannel>) {
    this.#incoming = incoming;
    this.#signal = signal;
    this.channel = channel;
    signal.addEventListener("abort", () => this.close(), { once: true });
    if (signal.aborted) this.close();
  }

  async send(message: Any): Promise<void> {
    if (this.#closed) throw new Canceled("stream closed");
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#outgoing.push({ message, taken: resolve, failed: reject });
    this.#wake();
    return promise;
  }

  async receive(): Promise<Any | undefined> {
    const next = await this.#incoming.next().catch((error: unknown) => {
      throw new Canceled("stream closed", { cause: error });
    });
    if (next.done === true) {
      if (this.#signal.aborted) throw new Canceled("stream closed");
      return undefined;
    }
    return next.value;
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** What is to go to the client, until the consumer closes or the client is gone. */
  async *messages(): AsyncGenerator<Any> {
    try {
      for (;;) {
        const next = this.#outgoing.shift();
        if (next !== undefined) {
          yield next.message;
          next.taken();
        } else if (this.#closed) return;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      this.#closed = true;
      for (const { failed } of this.#outgoing.splice(0)) failed(new Canceled("stream closed"));
    }
  }
}

/** The open streams by namespace and id, through which other services reach their clients. */
export class StreamRegistry {
  readonly #streams = new Map<string, ServerStream>();

  /** @returns what removes it again @throws AlreadyExists */
  add(namespace: string, id: string, stream: ServerStream): Disposable {
    const key = JSON.stringify([namespace, id]);
    if (this.#streams.has(key)) throw new AlreadyExists(`stream "${id}": already exists`);
    this.#streams.set(key, stream);
    return { [Symbol.dispose]: () => void this.#streams.delete(key) };
  }

  /** @throws NotFound */
  get(namespace: string, id: string): ServerStream {
    const stream = this.#streams.get(JSON.stringify([namespace, id]));
    if (stream === undefined) throw new NotFound(`failed to get stream "${id}": not found`);
    return stream;
  }
}
