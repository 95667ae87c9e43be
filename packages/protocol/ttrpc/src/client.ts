import type { DescMessage, DescMethod, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { GenService, GenServiceMethods } from "@bufbuild/protobuf/codegenv2";
import { Canceled, DeadlineExceeded, Internal, Unavailable } from "@longshore/errdefs";
import { create, fromBinary, toBinary } from "@longshore/proto/message";
import type { CallOptions, ServiceClient } from "@longshore/proto";
import { RequestSchema } from "@longshore/proto/ttrpc/ttrpc";
import { currentTraceparent } from "@longshore/telemetry";
import type { Connection } from "./connection.ts";
import { frameFlag } from "./frame.ts";

type Init = MessageInitShape<DescMessage>;
type Call = { id: number; payloads: AsyncIterable<Uint8Array>; done(): void };

/**
 * A client of `service` on `connection`. `defaults` hold for every call (metadata is merged).
 * Calls reject with `errdefs` classes; a lost connection is Unavailable "ttrpc: closed".
 */
export function createClient<S extends GenService<GenServiceMethods>>(
  service: S,
  connection: Connection,
  defaults: CallOptions = {},
): ServiceClient<S> {
  const methods = (service.methods as DescMethod[]).map(
    (method) => [method.localName, bind(method, connection, defaults)] as const,
  );
  return Object.fromEntries(methods) as unknown as ServiceClient<S>;
}

function bind(method: DescMethod, connection: Connection, defaults: CallOptions): unknown {
  switch (method.methodKind) {
    case "unary":
      return async (request: Init, options?: CallOptions) => {
        const call = begin(method, connection, merge(defaults, options), 0, request);
        return single(method, call);
      };
    case "server_streaming":
      return (request: Init, options?: CallOptions) => {
        const call = begin(method, connection, merge(defaults, options), frameFlag.remoteClosed, request);
        return messages(method, call);
      };
    case "client_streaming":
      return async (requests: AsyncIterable<Init>, options?: CallOptions) => {
        const call = begin(method, connection, merge(defaults, options), frameFlag.remoteOpen);
        send(method, connection, call, requests);
        return single(method, call);
      };
    case "bidi_streaming":
      return (requests: AsyncIterable<Init>, options?: CallOptions) => {
        const call = begin(method, connection, merge(defaults, options), frameFlag.remoteOpen);
        send(method, connection, call, requests);
        return messages(method, call);
      };
  }
}

function merge(defaults: CallOptions, options: CallOptions | undefined): CallOptions {
  return { ...defaults, ...options, metadata: { ...defaults.metadata, ...options?.metadata } };
}

function begin(method: DescMethod, connection: Connection, options: CallOptions, flags: number, request?: Init): Call {
  if (options.signal?.aborted === true)
    throw new Canceled(`${method.name}: canceled`, { cause: options.signal.reason });
  const traceparent = currentTraceparent();
  const metadata = { ...options.metadata, ...(traceparent !== undefined && { traceparent }) };
  const { id, payloads } = connection.start(
    toBinary(
      RequestSchema,
      create(RequestSchema, {
        service: method.parent.typeName,
        method: method.name,
        payload: request === undefined ? new Uint8Array() : toBinary(method.input, create(method.input, request)),
        timeoutNano: BigInt(Math.round((options.timeoutMs ?? 0) * 1e6)),
        metadata: Object.entries(metadata).map(([key, value]) => ({ key: key.toLowerCase(), value })),
      }),
    ),
    flags,
  );
  const cancel = (): void =>
    connection.drop(id, new Canceled(`${method.name}: canceled`, { cause: options.signal?.reason }));
  options.signal?.addEventListener("abort", cancel, { once: true });
  const expire = (): void => connection.drop(id, new DeadlineExceeded(`${method.name}: context deadline exceeded`));
  const timer = options.timeoutMs === undefined ? undefined : setTimeout(expire, options.timeoutMs);
  const done = (): void => {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", cancel);
    connection.drop(id);
  };
  return { id, payloads, done };
}

async function single(method: DescMethod, call: Call): Promise<MessageShape<DescMessage>> {
  for await (const message of messages(method, call)) return message;
  throw new Unavailable(`${method.name}: the stream ended without a response`);
}

async function* messages(method: DescMethod, call: Call): AsyncGenerator<MessageShape<DescMessage>, void, undefined> {
  try {
    for await (const payload of call.payloads) yield decode(method, payload);
  } finally {
    call.done();
  }
}

function decode(method: DescMethod, payload: Uint8Array): MessageShape<DescMessage> {
  try {
    return fromBinary(method.output, payload);
  } catch (cause) {
    throw new Internal(`${method.name}: response cannot be decoded`, { cause });
  }
}

/** Runs beside the reading side; what goes wrong with the caller's messages fails the call. */
function send(method: DescMethod, connection: Connection, call: Call, requests: AsyncIterable<Init>): void {
  const pump = async (): Promise<void> => {
    for await (const request of requests)
      await connection.send(call.id, toBinary(method.input, create(method.input, request)));
    connection.closeSend(call.id);
  };
  pump().catch((error: unknown) => connection.drop(call.id, error));
}
