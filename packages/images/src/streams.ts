import { randomBytes } from "node:crypto";
import type { Any } from "@bufbuild/protobuf/wkt";
import { packAny, type AnyStream } from "@longshore/proto";
import { StreamInitSchema } from "@longshore/proto/containerd/services/streaming/v1/streaming";
import type { ImagesContext } from "./context.ts";

/** The client's side of one call of containerd's Streaming service. */
export class ClientStream implements AnyStream {
  readonly id: string;
  readonly #outgoing: { message: Any; taken: () => void }[] = [];
  readonly #incoming: AsyncIterator<Any>;
  #wake: () => void = () => undefined;
  #closed = false;

  private constructor(context: ImagesContext, id: string, signal: AbortSignal) {
    this.id = id;
    this.#incoming = context.containerd.streaming.stream(this.#messages(), { signal })[Symbol.asyncIterator]();
  }

  /** Opens a stream that containerd knows by `id` when this resolves. */
  static async open(context: ImagesContext, kind: "progress" | "import" | "export" | "auth", signal: AbortSignal): Promise<ClientStream> {
    const id = `${kind}-${process.hrtime.bigint()}-${randomBytes(3).toString("base64url")}`;
    const stream = new ClientStream(context, id, signal);
    // containerd's first message says that it has registered the stream.
    await stream.receive();
    return stream;
  }

  async *#messages(): AsyncGenerator<Any> {
    yield packAny(StreamInitSchema, { id: this.id });
    for (;;) {
      const next = this.#outgoing.shift();
      if (next !== undefined) {
        yield next.message;
        next.taken();
      } else if (this.#closed) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async send(message: Any): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#outgoing.push({ message, taken: resolve });
      this.#wake();
    });
  }

  async receive(): Promise<Any | undefined> {
    const next = await this.#incoming.next();
    return next.done === true ? undefined : next.value;
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** Ends the call, whatever is under way. */
  async end(): Promise<void> {
    this.close();
    await this.#incoming.return?.();
  }
}
