import { once } from "node:events";
import * as grpc from "@grpc/grpc-js";
import type { GenService, GenServiceMethods } from "@bufbuild/protobuf/codegenv2";
import { fromGrpcCode, messageOf, Unknown } from "@longshore/errdefs";
import type { CallOptions, ServiceClient } from "@longshore/proto";
import { currentTraceparent } from "@longshore/telemetry";
import { type MethodCodec, methodCodec } from "./definition.ts";
import { reasonIn, wantsDetails } from "./error-details.ts";
import { maxMessageBytes } from "./server.ts";

/** One HTTP/2 connection to a server, shared by the clients of its services; it reconnects by itself. */
export class Channel {
  readonly raw: grpc.Client;

  /** @param path of the server's unix socket */
  constructor(path: string) {
    this.raw = new grpc.Client(`unix:${path}`, grpc.credentials.createInsecure(), {
      "grpc.max_receive_message_length": maxMessageBytes,
      "grpc.max_send_message_length": maxMessageBytes,
      // A daemon that restarts is back in well under a second: look for it often.
      "grpc.initial_reconnect_backoff_ms": 50,
      "grpc.min_reconnect_backoff_ms": 50,
      "grpc.max_reconnect_backoff_ms": 1000,
    });
  }

  /** Waits until the server answers connections. @throws Unavailable after `timeoutMs` */
  async ready(timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.raw.waitForReady(Date.now() + timeoutMs, (error) =>
        error ? reject(fromGrpcCode(14, messageOf(error), error)) : resolve(),
      );
    });
  }

  close(): void {
    this.raw.close();
  }
}

function toError(error: unknown): Error {
  if (error !== null && typeof error === "object" && "code" in error && typeof error.code === "number") {
    const { details, metadata } = error as grpc.ServiceError;
    return fromGrpcCode(error.code, details, error, reasonIn(metadata));
  }
  return new Unknown(messageOf(error), { cause: error });
}

function metadataOf(base: Readonly<Record<string, string>>, options: CallOptions | undefined): grpc.Metadata {
  const metadata = new grpc.Metadata();
  for (const [key, value] of Object.entries({ ...wantsDetails, ...base, ...options?.metadata }))
    metadata.set(key, value);
  const traceparent = currentTraceparent();
  if (traceparent !== undefined) metadata.set("traceparent", traceparent);
  return metadata;
}

function callOptions(options: CallOptions | undefined): grpc.CallOptions {
  return options?.timeoutMs === undefined ? {} : { deadline: Date.now() + options.timeoutMs };
}

function cancelOn(signal: AbortSignal | undefined, call: { cancel(): void }): () => void {
  if (signal === undefined) return () => undefined;
  const cancel = (): void => call.cancel();
  if (signal.aborted) cancel();
  signal.addEventListener("abort", cancel, { once: true });
  return () => signal.removeEventListener("abort", cancel);
}

async function sendAll(call: grpc.ClientWritableStream<unknown>, requests: AsyncIterable<unknown>): Promise<void> {
  for await (const request of requests) {
    if (!call.write(request)) await once(call, "drain");
  }
  call.end();
}

async function* receive(call: grpc.ClientReadableStream<unknown>, release: () => void): AsyncIterable<unknown> {
  try {
    for await (const response of call) yield response;
  } catch (error) {
    throw toError(error);
  } finally {
    release();
    call.cancel();
  }
}

function makeCall(
  channel: Channel,
  codec: MethodCodec,
  base: Readonly<Record<string, string>>,
): (request: unknown, options?: CallOptions) => unknown {
  const { raw } = channel;
  const { path, requestSerialize, responseDeserialize } = codec;
  if (!codec.requestStream && !codec.responseStream) {
    return (request, options) =>
      new Promise((resolve, reject) => {
        let release = (): void => undefined;
        const call = raw.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          request,
          metadataOf(base, options),
          callOptions(options),
          (error, value) => {
            release();
            if (error) reject(toError(error));
            else resolve(value);
          },
        );
        release = cancelOn(options?.signal, call);
      });
  }
  if (!codec.requestStream) {
    return (request, options) => {
      const call = raw.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadataOf(base, options),
        callOptions(options),
      );
      return receive(call, cancelOn(options?.signal, call));
    };
  }
  if (!codec.responseStream) {
    return (requests, options) =>
      new Promise((resolve, reject) => {
        let release = (): void => undefined;
        const call = raw.makeClientStreamRequest(
          path,
          requestSerialize,
          responseDeserialize,
          metadataOf(base, options),
          callOptions(options),
          (error, value) => {
            release();
            if (error) reject(toError(error));
            else resolve(value);
          },
        );
        release = cancelOn(options?.signal, call);
        sendAll(call, requests as AsyncIterable<unknown>).catch((error: unknown) => {
          call.cancel();
          reject(error);
        });
      });
  }
  return (requests, options) => {
    const call = raw.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      metadataOf(base, options),
      callOptions(options),
    );
    const release = cancelOn(options?.signal, call);
    sendAll(call as unknown as grpc.ClientWritableStream<unknown>, requests as AsyncIterable<unknown>).catch(
      (error: unknown) => {
        call.destroy(error instanceof Error ? error : new Unknown(messageOf(error)));
      },
    );
    return receive(call, release);
  };
}

/**
 * A client of one service over `channel`.
 * @param metadata is sent with each call; keys are lower case
 */
export function createClient<S extends GenService<GenServiceMethods>>(
  channel: Channel,
  service: S,
  metadata: Readonly<Record<string, string>> = {},
): ServiceClient<S> {
  const client: Record<string, unknown> = {};
  for (const method of service.methods) client[method.localName] = makeCall(channel, methodCodec(method), metadata);
  return client as ServiceClient<S>;
}
