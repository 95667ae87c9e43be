import { randomBytes } from "node:crypto";
import { type Any, StringValueSchema } from "@bufbuild/protobuf/wkt";
import { messageOf } from "@longshore/errdefs";
import { packAny, unpackAny } from "@longshore/proto";
import { StreamInitSchema } from "@longshore/proto/containerd/services/streaming/v1/streaming";
import type { ClientContext } from "../connection/context.ts";
import { byteSocketMetadata, connectForBytes } from "./byte-socket.ts";
import type { AnyStream, ByteChannel } from "./byte-stream.ts";

/** The client's side of one call of containerd's Streaming service. */
export class ClientStream implements AnyStream {
  readonly id: string;
  channel: Promise<ByteChannel> | undefined;
  readonly #outgoing: { message: Any; taken: () => void }[] = [];
  readonly #incoming: AsyncIterator<Any>;
  #wake: () => void = () => undefined;
  #closed = false;
  readonly #ended = new AbortController();

  private constructor(context: ClientContext, id: string, signal: AbortSignal, metadata: Record<string, string>) {
    this.id = id;
    this.#incoming = context.containerd.streaming
      .stream(this.#messages(), { signal: AbortSignal.any([signal, this.#ended.signal]), metadata })
      [Symbol.asyncIterator]();
  }

  /** Opens a stream that containerd knows by `id` when this resolves. */
  static async open(
    context: ClientContext,
    kind: "progress" | "import" | "export" | "auth",
    signal: AbortSignal,
  ): Promise<ClientStream> {
    const start = async (
      metadata: Record<string, string> = {},
    ): Promise<{ stream: ClientStream; first: Any | undefined }> => {
      const id = `${kind}-${process.hrtime.bigint()}-${randomBytes(3).toString("base64url")}`;
      const stream = new ClientStream(context, id, signal, metadata);
      // containerd's first message says that it has registered the stream.
      return { stream, first: await stream.receive() };
    };
    if (kind !== "import" && kind !== "export") return (await start()).stream;
    // An archive is many bytes, which cost gRPC more time than all else that is done with them.
    const { stream, first } = await start({ [byteSocketMetadata]: "1" });
    const socket = first && unpackAny(first, StringValueSchema)?.value;
    if (socket === undefined) return stream;
    try {
      stream.channel = Promise.resolve(await connectForBytes(socket));
      return stream;
    } catch (error) {
      context.log.debug(
        { socket, err: error },
        `containerd's socket is out of reach, bytes go as messages: ${messageOf(error)}`,
      );
      await stream.end();
      return (await start()).stream;
    }
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
    (await this.channel)?.close();
    // Who waits for a message waits no longer: the stock containerd ends no call by itself.
    this.#ended.abort();
    await this.#incoming.return?.();
  }
}
