import { chmod, lstat, unlink } from "node:fs/promises";
import { once } from "node:events";
import type { SecureServerOptions } from "node:http2";
import { type Socket, connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import * as grpc from "@grpc/grpc-js";
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { GenService, GenServiceMethods } from "@bufbuild/protobuf/codegenv2";
import { Unavailable, grpcCodeOf, messageOf } from "@longshore/errdefs";
import { parseTraceparent, span, withParent } from "@longshore/telemetry";
import type { CallContext } from "./context.ts";
import { methodCodec } from "./definition.ts";
import { detailsOf } from "./error-details.ts";

type In<M> = M extends { input: infer I extends DescMessage } ? MessageShape<I> : never;
type Out<M> = M extends { output: infer O extends DescMessage } ? MessageInitShape<O> : never;

/** The methods of a service as plain async functions and generators; a thrown errdefs class sets the status. */
export type ServiceImplementation<S extends GenService<GenServiceMethods>> = {
  [K in keyof S["method"]]: S["method"][K] extends { methodKind: "unary" }
    ? (request: In<S["method"][K]>, context: CallContext) => Promise<Out<S["method"][K]>> | Out<S["method"][K]>
    : S["method"][K] extends { methodKind: "server_streaming" }
      ? (request: In<S["method"][K]>, context: CallContext) => AsyncIterable<Out<S["method"][K]>>
      : S["method"][K] extends { methodKind: "client_streaming" }
        ? (requests: AsyncIterable<In<S["method"][K]>>, context: CallContext) => Promise<Out<S["method"][K]>>
        : (requests: AsyncIterable<In<S["method"][K]>>, context: CallContext) => AsyncIterable<Out<S["method"][K]>>;
};

/** A service ready to be registered on a server. */
export interface BoundService {
  readonly definition: grpc.ServiceDefinition;
  readonly handlers: grpc.UntypedServiceImplementation;
}

type AnyHandler = (request: unknown, context: CallContext) => unknown;
/** What the four kinds of call have in common for us. */
interface AnyCall {
  readonly metadata: grpc.Metadata;
  on(event: "cancelled", listener: () => void): unknown;
}

function contextOf(call: AnyCall): { context: CallContext; end: () => void } {
  const abort = new AbortController();
  call.on("cancelled", () => abort.abort());
  const metadata: Record<string, string> = {};
  for (const key of Object.keys(call.metadata.getMap())) {
    const first = call.metadata.get(key)[0];
    if (typeof first === "string") metadata[key] = first;
  }
  return { context: { metadata, signal: abort.signal }, end: () => abort.abort() };
}

function statusOf(error: unknown, { metadata: asked }: CallContext): Partial<grpc.StatusObject> {
  const metadata = detailsOf(error, asked);
  return { code: grpcCodeOf(error), details: messageOf(error), ...(metadata === undefined ? {} : { metadata }) };
}

/** Only unary calls get spans: streams such as events live as long as their client. */
function unary(name: string, handler: AnyHandler): grpc.handleUnaryCall<unknown, unknown> {
  return (call, callback) => {
    const { context } = contextOf(call);
    Promise.resolve()
      .then(() =>
        withParent(parseTraceparent(context.metadata["traceparent"]), () =>
          span(name, async () => handler(call.request, context)),
        ),
      )
      .then(
        (response) => callback(null, response),
        (error: unknown) => callback(statusOf(error, context)),
      );
  };
}

function clientStreaming(handler: AnyHandler): grpc.handleClientStreamingCall<unknown, unknown> {
  return (call, callback) => {
    const { context } = contextOf(call);
    Promise.resolve()
      .then(() => handler(call, context))
      .then(
        (response) => callback(null, response),
        (error: unknown) => callback(statusOf(error, context)),
      );
  };
}

/** Pumps an async iterable into the call, at the pace of the client. */
async function respond(
  call: grpc.ServerDuplexStream<unknown, unknown>,
  responses: AsyncIterable<unknown>,
  signal: AbortSignal,
): Promise<void> {
  for await (const response of responses) {
    if (signal.aborted) return;
    if (!call.write(response)) await once(call, "drain", { signal }).catch(() => undefined);
  }
}

function serverStreaming(
  handler: AnyHandler,
  hasRequestStream: boolean,
): grpc.handleBidiStreamingCall<unknown, unknown> {
  return (call) => {
    const { context, end } = contextOf(call);
    // A handler that has read enough must still be able to answer, so leaving the loop keeps the call open.
    const request = hasRequestStream
      ? call.iterator({ destroyOnReturn: false })
      : (call as unknown as { request: unknown }).request;
    // A cancelled request stream errors; the handler sees it through its iteration and the signal.
    if (hasRequestStream) call.on("error", () => undefined);
    Promise.resolve()
      .then(() => respond(call, handler(request, context) as AsyncIterable<unknown>, context.signal))
      .then(
        () => call.end(),
        (error: unknown) => call.emit("error", statusOf(error, context)),
      )
      .finally(end);
  };
}

/** Binds plain functions to a protobuf service. */
export function implement<S extends GenService<GenServiceMethods>>(
  service: S,
  implementation: ServiceImplementation<S>,
): BoundService {
  const definition: Record<string, grpc.MethodDefinition<unknown, unknown>> = {};
  const handlers: grpc.UntypedServiceImplementation = {};
  for (const method of service.methods) {
    const handler = (implementation as unknown as Record<string, AnyHandler>)[method.localName];
    if (handler === undefined) throw new TypeError(`${service.typeName}.${method.name} is not implemented`);
    const bound = handler.bind(implementation);
    definition[method.localName] = { ...methodCodec(method), originalName: method.localName };
    handlers[method.localName] =
      method.methodKind === "unary"
        ? unary(`${service.typeName}/${method.name}`, bound)
        : method.methodKind === "client_streaming"
          ? clientStreaming(bound)
          : serverStreaming(bound, method.methodKind === "bidi_streaming");
  }
  return { definition: definition as grpc.ServiceDefinition, handlers };
}

export interface ServeOptions {
  /** Path of the unix socket; a dead socket file there is replaced. */
  path: string;
  /** Mode of the socket file. */
  mode?: number;
}

export interface RunningServer {
  /** Stops taking calls and ends open ones after `graceMs`. */
  close(graceMs?: number): Promise<void>;
}

/** containerd's limit for one message, both directions. */
export const maxMessageBytes = 16 << 20;

/** How many connections may wait to be accepted: the kernel makes it as many as any listener may have. */
const longestQueue = 2 ** 31 - 1;

async function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/**
 * Go's content client opens a Read call for each 16 KiB and cancels it again. HTTP/2 libraries take
 * thousands of cancelled streams for an attack and drop the connection, in the middle of a blob.
 * Whoever may open this socket is trusted, so the limit is lifted; grpc-js has no option for that,
 * but hands these on to Node's http2.
 */
function allowCancelledCalls(server: grpc.Server): void {
  const { commonServerOptions } = server as unknown as { commonServerOptions: SecureServerOptions };
  Object.assign(commonServerOptions, { streamResetBurst: 2 ** 31, streamResetRate: 2 ** 31 });
}

/**
 * Serves on a unix socket.
 * @throws Unavailable when another process serves that socket.
 */
export async function serve(services: readonly BoundService[], options: ServeOptions): Promise<RunningServer> {
  const stale = await lstat(options.path).catch(() => undefined);
  if (stale !== undefined) {
    if (await isServed(options.path)) throw new Unavailable(`listen unix ${options.path}: address already in use`);
    await unlink(options.path);
  }
  const server = new grpc.Server({
    "grpc.max_receive_message_length": maxMessageBytes,
    "grpc.max_send_message_length": maxMessageBytes,
  });
  allowCancelledCalls(server);
  for (const { definition, handlers } of services) server.addService(definition, handlers);
  const { injectConnection } = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  // grpc-js would listen itself, but with Node's short queue.
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    injectConnection(socket);
  }).listen({ path: options.path, backlog: longestQueue });
  await once(listener, "listening");
  // A connection that cannot be accepted, for want of descriptors or memory, is no end of all others.
  listener.on("error", () => undefined);
  if (options.mode !== undefined) await chmod(options.path, options.mode);
  return {
    close: async (graceMs = 3000) => {
      // grpc-js takes calls that are still open on the connections that it was given for ended; the listener does not.
      const ended = Promise.all([
        once(listener.close(), "close"),
        new Promise<void>((resolve) => server.tryShutdown(() => resolve())),
      ]);
      const grace = new AbortController();
      await Promise.race([ended, sleep(graceMs, undefined, { signal: grace.signal }).catch(() => undefined)]);
      grace.abort();
      server.forceShutdown();
      for (const socket of sockets) socket.destroy();
    },
  };
}
