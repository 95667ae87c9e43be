import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { Canceled, DeadlineExceeded, InvalidArgument, ResourceExhausted } from "@longshore/errdefs";
import { create, fromBinary, toBinary } from "@longshore/proto/message";
import type { Request } from "@longshore/proto/ttrpc/ttrpc";
import { parseTraceparent, span, withParent } from "@longshore/telemetry";
import { frameFlag, frameType, maxFrameData } from "./frame.ts";
import { Inbox } from "./inbox.ts";
import { metadataOf } from "./metadata.ts";
import type { Endpoint } from "./service.ts";
import type { ServerConnection } from "./server-connection.ts";
import { encodeError, encodeSuccess } from "./status.ts";

type Message = MessageInitShape<DescMessage>;

/** One call that a server answers, from its request frame to the frame that ends it. */
export class ServerCall {
  readonly inbox = new Inbox<Uint8Array>();
  readonly #connection: ServerConnection;
  readonly #id: number;
  readonly #endpoint: Endpoint;
  readonly #request: Request;
  readonly #abort = new AbortController();

  constructor(connection: ServerConnection, id: number, endpoint: Endpoint, request: Request, remoteOpen: boolean) {
    this.#connection = connection;
    this.#id = id;
    this.#endpoint = endpoint;
    this.#request = request;
    if (!remoteOpen) this.inbox.end();
  }

  /** The caller is gone or broke the protocol: nothing more is sent. */
  abort(): void {
    this.#abort.abort(new Canceled("context canceled"));
    this.inbox.fail(new Canceled("context canceled"));
  }

  /** Runs the handler and answers; never rejects. */
  async run(): Promise<void> {
    const timeout = Number(this.#request.timeoutNano / 1_000_000n);
    const expire = (): void => this.#abort.abort(new DeadlineExceeded("context deadline exceeded"));
    const timer = this.#request.timeoutNano > 0n ? setTimeout(expire, Math.min(timeout, 0x7fffffff)) : undefined;
    try {
      await Promise.race([this.#answer(), this.#aborted()]);
    } catch (error) {
      if (!(error instanceof Canceled && this.#abort.signal.reason === error))
        await this.#connection.write(this.#id, frameType.response, 0, encodeError(error));
    } finally {
      clearTimeout(timer);
    }
  }

  #aborted(): Promise<never> {
    const { signal } = this.#abort;
    return new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true }),
    );
  }

  async #answer(): Promise<void> {
    const { method, handle } = this.#endpoint;
    const context = { metadata: metadataOf(this.#request), signal: this.#abort.signal };
    const clientStreams = method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
    const call = (): unknown => handle(clientStreams ? this.#messages() : this.#decode(this.#request.payload), context);
    if (method.methodKind === "unary" || method.methodKind === "client_streaming") {
      const parent = parseTraceparent(context.metadata.get("traceparent")?.[0]);
      const result = withParent(parent, () =>
        span(`${this.#request.service}/${method.name}`, async () => (await call()) as Message),
      );
      const response = this.#encode(await result);
      if (!this.#abort.signal.aborted)
        await this.#connection.write(this.#id, frameType.response, 0, limited(encodeSuccess(response)));
      return;
    }
    for await (const message of call() as AsyncIterable<Message>) {
      if (this.#abort.signal.aborted) return;
      await this.#connection.write(this.#id, frameType.data, 0, limited(this.#encode(message)));
    }
    if (!this.#abort.signal.aborted)
      await this.#connection.write(
        this.#id,
        frameType.data,
        frameFlag.remoteClosed | frameFlag.noData,
        new Uint8Array(),
      );
  }

  async *#messages(): AsyncGenerator<MessageShape<DescMessage>, void, undefined> {
    for await (const data of this.inbox) yield this.#decode(data);
  }

  #decode(data: Uint8Array): MessageShape<DescMessage> {
    try {
      return fromBinary(this.#endpoint.method.input, data);
    } catch (cause) {
      throw new InvalidArgument(`${this.#endpoint.method.name}: request cannot be decoded`, { cause });
    }
  }

  #encode(message: Message): Uint8Array {
    return toBinary(this.#endpoint.method.output, create(this.#endpoint.method.output, message));
  }
}

function limited(data: Uint8Array): Uint8Array {
  if (data.length > maxFrameData)
    throw new ResourceExhausted(`message length ${data.length} exceeds maximum message size of ${maxFrameData}`);
  return data;
}
