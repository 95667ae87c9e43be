import { type DescMessage, type MessageInitShape, create, fromBinary, isMessage, toBinary } from "@bufbuild/protobuf";
import type { GenService, GenServiceMethods } from "@bufbuild/protobuf/codegenv2";
import { Canceled, DeadlineExceeded, fromGrpcCode, grpcCodeOf, messageOf } from "@longshore/errdefs";
import type { CallContext, ServiceImplementation } from "@longshore/grpc";
import type { CallOptions, ServiceClient } from "@longshore/proto";

/** What stands between a client and a method: it may look at the request, fail, wait, or lose the answer. */
export type Around = <T>(
  call: { name: string; metadata: CallContext["metadata"]; request: unknown },
  run: () => T,
) => T;

type Handler = (request: unknown, context: CallContext) => unknown;

/** What the other side sees of a message: a copy, as after a way over the wire. */
function carried(schema: DescMessage, value: unknown): unknown {
  const message = isMessage(value, schema) ? value : create(schema, value as MessageInitShape<DescMessage>);
  return fromBinary(schema, toBinary(schema, message));
}

/** What of an error crosses the wire. */
function failure(error: unknown): Error {
  return fromGrpcCode(grpcCodeOf(error), messageOf(error), error);
}

interface Limits {
  readonly signal: AbortSignal;
  /** Rejects when the call is cut short. */
  readonly ended: Promise<never>;
  release(): void;
}

/** A call's signal, which also ends with the caller's and at its deadline. */
function limits({ signal, timeoutMs }: CallOptions): Limits {
  const abort = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const end = (error: Error): void => {
    reject(error);
    abort.abort();
  };
  const cancel = (): void => end(new Canceled("Cancelled on client"));
  if (signal?.aborted === true) cancel();
  signal?.addEventListener("abort", cancel, { once: true });
  const timer =
    timeoutMs === undefined ? undefined : setTimeout(() => end(new DeadlineExceeded("Deadline exceeded")), timeoutMs);
  const release = (): void => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", cancel);
    abort.abort();
  };
  return { signal: abort.signal, ended: promise, release };
}

/** Takes what `source` gives as it comes, as a connection does, whether or not anybody waits for it. */
function pumped<T>(source: () => AsyncIterable<T>): AsyncGenerator<T> {
  const queue: T[] = [];
  let end: { error?: unknown } | undefined;
  let wake = (): void => undefined;
  const pump = async (): Promise<void> => {
    try {
      for await (const item of source()) {
        queue.push(item);
        wake();
      }
      end = {};
    } catch (error) {
      end = { error };
    }
    wake();
  };
  void pump();
  return (async function* () {
    for (;;) {
      while (queue.length > 0) yield queue.shift() as T;
      if (end !== undefined && "error" in end) throw end.error;
      if (end !== undefined) return;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  })();
}

async function* responses(
  output: DescMessage,
  source: AsyncGenerator<unknown>,
  limit: Limits,
): AsyncGenerator<unknown> {
  try {
    for (;;) {
      const next = await Promise.race([source.next(), limit.ended]);
      if (next.done === true) return;
      yield carried(output, next.value);
    }
  } catch (error) {
    throw failure(error);
  } finally {
    limit.release();
  }
}

async function* carriedAll(schema: DescMessage, requests: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  for await (const request of requests) yield carried(schema, request);
}

/**
 * A client of a service that runs in this process, without a socket. Messages are copied and errors reduced to what
 * gRPC carries of them, so that whoever works with it works over a connection.
 * @param key the service's name in `ContainerdClient`, for `around`
 */
export function directClient<S extends GenService<GenServiceMethods>>(
  key: string,
  service: S,
  implementation: ServiceImplementation<S>,
  base: Readonly<Record<string, string>>,
  around: Around,
): ServiceClient<S> {
  const handlers = implementation as unknown as Record<string, Handler>;
  const client: Record<string, unknown> = {};
  for (const { localName, methodKind, input, output } of service.methods) {
    const name = `${key}.${localName}`;
    const requestStream = methodKind === "client_streaming" || methodKind === "bidi_streaming";
    const responseStream = methodKind === "server_streaming" || methodKind === "bidi_streaming";
    const call = <T>(request: unknown, options: CallOptions, signal: AbortSignal): T => {
      const metadata = { ...base, ...options.metadata };
      const seen = requestStream
        ? pumped(() => carriedAll(input, request as AsyncIterable<unknown>))
        : carried(input, request);
      return around({ name, metadata, request: seen }, () => handlers[localName]!(seen, { metadata, signal }) as T);
    };
    client[localName] = responseStream
      ? (request: unknown, options: CallOptions = {}) => {
          const limit = limits(options);
          const source = pumped(() => call<AsyncIterable<unknown>>(request, options, limit.signal));
          return responses(output, source, limit);
        }
      : async (request: unknown, options: CallOptions = {}) => {
          const { signal, ended, release } = limits(options);
          try {
            return carried(output, await Promise.race([(async () => call(request, options, signal))(), ended]));
          } catch (error) {
            throw failure(error);
          } finally {
            release();
          }
        };
  }
  return client as ServiceClient<S>;
}
