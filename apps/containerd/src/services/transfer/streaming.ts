import { EmptySchema, StringValueSchema } from "@bufbuild/protobuf/wkt";
import { byteSocketMetadata, listenForBytes, namespaceOf } from "@longshore/containerd-client";
import { InvalidArgument } from "@longshore/errdefs";
import type { ServiceImplementation } from "@longshore/grpc";
import { packAny, unpackAny } from "@longshore/proto";
import { StreamInitSchema, Streaming } from "@longshore/proto/containerd/services/streaming/v1/streaming";
import { ServerStream, type StreamRegistry } from "./streams.ts";

/**
 * containerd's Streaming service: opens the streams that other calls refer to by id.
 * @param byteSockets folder for sockets over which clients that ask for it exchange a stream's bytes
 */
export function streamingService(
  registry: StreamRegistry,
  byteSockets: string,
): ServiceImplementation<typeof Streaming> {
  return {
    async *stream(requests, context) {
      const incoming = requests[Symbol.asyncIterator]();
      const first = await incoming.next();
      const init = first.done === true ? undefined : unpackAny(first.value, StreamInitSchema);
      if (init === undefined || init.id === "")
        throw new InvalidArgument("the first message of a stream must be StreamInit with an id");
      const listener =
        context.metadata[byteSocketMetadata] === undefined ? undefined : await listenForBytes(byteSockets);
      const stream = new ServerStream(incoming, context.signal, listener?.channel);
      try {
        using _ = registry.add(namespaceOf(context), init.id, stream);
        yield listener === undefined ? packAny(EmptySchema, {}) : packAny(StringValueSchema, { value: listener.path });
        yield* stream.messages();
      } finally {
        listener?.close();
      }
    },
  };
}
