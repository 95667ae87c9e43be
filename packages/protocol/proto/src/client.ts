import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { GenService, GenServiceMethods } from "@bufbuild/protobuf/codegenv2";

/** What travels beside a call, whatever carries it (gRPC or ttrpc). */
export interface CallOptions {
  /** Metadata keys are lower case, e.g. `containerd-namespace`. */
  metadata?: Record<string, string>;
  signal?: AbortSignal;
  timeoutMs?: number;
}

type Unary<I extends DescMessage, O extends DescMessage> = (
  request: MessageInitShape<I>,
  options?: CallOptions,
) => Promise<MessageShape<O>>;
type ServerStream<I extends DescMessage, O extends DescMessage> = (
  request: MessageInitShape<I>,
  options?: CallOptions,
) => AsyncIterable<MessageShape<O>>;
type ClientStream<I extends DescMessage, O extends DescMessage> = (
  requests: AsyncIterable<MessageInitShape<I>>,
  options?: CallOptions,
) => Promise<MessageShape<O>>;
type Bidi<I extends DescMessage, O extends DescMessage> = (
  requests: AsyncIterable<MessageInitShape<I>>,
  options?: CallOptions,
) => AsyncIterable<MessageShape<O>>;

/**
 * A client of one protobuf service, without a word on its transport, so that core packages can
 * call containerd without knowing grpc-js. Calls reject with `errdefs` classes.
 */
export type ServiceClient<S extends GenService<GenServiceMethods>> = {
  [K in keyof S["method"]]: S["method"][K] extends {
    methodKind: "unary";
    input: infer I extends DescMessage;
    output: infer O extends DescMessage;
  }
    ? Unary<I, O>
    : S["method"][K] extends {
          methodKind: "server_streaming";
          input: infer I extends DescMessage;
          output: infer O extends DescMessage;
        }
      ? ServerStream<I, O>
      : S["method"][K] extends {
            methodKind: "client_streaming";
            input: infer I extends DescMessage;
            output: infer O extends DescMessage;
          }
        ? ClientStream<I, O>
        : S["method"][K] extends {
              methodKind: "bidi_streaming";
              input: infer I extends DescMessage;
              output: infer O extends DescMessage;
            }
          ? Bidi<I, O>
          : never;
};
