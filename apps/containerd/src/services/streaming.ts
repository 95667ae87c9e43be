import { EmptySchema } from "@bufbuild/protobuf/wkt";
import { InvalidArgument } from "@longshore/errdefs";
import type { ServiceImplementation } from "@longshore/grpc";
import { packAny, unpackAny } from "@longshore/proto";
import { StreamInitSchema, Streaming } from "@longshore/proto/containerd/services/streaming/v1/streaming";
import { ServerStream, type StreamRegistry } from "./streams.ts";

/** containerd's Streaming service: opens the streams that other calls refer to by id. */
export function streamingService(registry: StreamRegistry): ServiceImplementation<typeof Streaming> {
  return {
    async *stream(requests, context) {
      const incoming = requests[Symbol.asyncIterator]();
      const first = await incoming.next();
      const init = first.done === true ? undefined : unpackAny(first.value, StreamInitSchema);
      if (init === undefined || init.id === "") throw new InvalidArgument("the first message of a stream must be StreamInit with an id");
      const stream = new ServerStream(incoming, context.signal);
      registry.add(context.namespace, init.id, stream);
      try {
        yield packAny(EmptySchema, {});
        yield* stream.messages();
      } finally {
        registry.remove(context.namespace, init.id);
      }
    },
  };
}
