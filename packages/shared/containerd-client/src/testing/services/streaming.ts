import { EmptySchema, type Any } from "@bufbuild/protobuf/wkt";
import { AlreadyExists, InvalidArgument, NotFound, NotImplemented } from "@longshore/errdefs";
import type { CallContext, ServiceImplementation } from "@longshore/grpc";
import { packAny, unpackAny } from "@longshore/proto";
import { StreamInitSchema, type Streaming } from "@longshore/proto/containerd/services/streaming/v1/streaming";
import type { Transfer, TransferRequest } from "@longshore/proto/containerd/services/transfer/v1/transfer";
import { namespaceOf } from "../../namespaces/metadata.ts";
import type { AnyStream } from "../../transfer/byte-stream.ts";

/** containerd's side of a stream. */
class FakeStream implements AnyStream {
  readonly #incoming: AsyncIterator<Any>;
  readonly #outgoing: { message: Any; taken: () => void }[] = [];
  #wake: () => void = () => undefined;
  #closed = false;

  constructor(incoming: AsyncIterator<Any>) {
    this.#incoming = incoming;
  }

  send(message: Any): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#outgoing.push({ message, taken: resolve });
    this.#wake();
    return promise;
  }

  async receive(): Promise<Any | undefined> {
    const next = await this.#incoming.next();
    return next.done === true ? undefined : next.value;
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  async *messages(): AsyncGenerator<Any> {
    for (;;) {
      const next = this.#outgoing.shift();
      if (next !== undefined) {
        yield next.message;
        next.taken();
      } else if (this.#closed) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** Does what a test wants of transfers. @param stream finds one of the client's streams by its id. @throws NotFound without */
export type TransferWork = (
  request: TransferRequest,
  stream: (id: string) => AnyStream,
  context: CallContext,
) => Promise<void>;

const unserved: TransferWork = ({ source, destination }) => {
  throw new NotImplemented(`method Transfer not implemented for ${source?.typeUrl} to ${destination?.typeUrl}`);
};

/** Streams, and transfers that work over them. As with the stock containerd, only that of the progress ends with its transfer. */
export class Streams {
  readonly #streams = new Map<string, FakeStream>();

  readonly streaming: ServiceImplementation<typeof Streaming> = {
    stream: (requests, context) => this.#serve(requests, context),
  };

  #find(id: string, context: CallContext): FakeStream {
    const stream = this.#streams.get(`${namespaceOf(context)}\0${id}`);
    if (stream === undefined) throw new NotFound(`failed to get stream "${id}": not found`);
    return stream;
  }

  async *#serve(requests: AsyncIterable<Any>, context: CallContext): AsyncGenerator<Any> {
    const incoming = requests[Symbol.asyncIterator]();
    const first = await incoming.next();
    const init = first.done === true ? undefined : unpackAny(first.value, StreamInitSchema);
    if (init === undefined || init.id === "")
      throw new InvalidArgument("the first message of a stream must be StreamInit with an id");
    const key = `${namespaceOf(context)}\0${init.id}`;
    if (this.#streams.has(key)) throw new AlreadyExists(`stream "${init.id}": already exists`);
    const stream = new FakeStream(incoming);
    this.#streams.set(key, stream);
    try {
      yield packAny(EmptySchema, {});
      yield* stream.messages();
    } finally {
      this.#streams.delete(key);
    }
  }

  /** @param work tells, at the time of the call, what a transfer does */
  transfer(work: () => TransferWork | undefined): ServiceImplementation<typeof Transfer> {
    return {
      transfer: async (request, context) => {
        const { progressStream = "" } = request.options ?? {};
        const progress = progressStream === "" ? undefined : this.#find(progressStream, context);
        try {
          await (work() ?? unserved)(request, (id) => this.#find(id, context), context);
        } finally {
          progress?.close();
        }
        return {};
      },
    };
  }
}
