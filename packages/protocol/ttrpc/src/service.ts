import type { DescMessage, DescMethod, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { GenService, GenServiceMethods } from "@bufbuild/protobuf/codegenv2";
import type { Metadata } from "./metadata.ts";

/** What a handler learns of its call beside the message. */
export interface CallContext {
  readonly metadata: Metadata;
  /** Aborts when the caller's deadline passes or its connection is lost. */
  readonly signal: AbortSignal;
}

type Result<T> = T | Promise<T>;

/** The handlers of one service; a method left out answers Unimplemented. */
export type ServiceHandlers<S extends GenService<GenServiceMethods>> = {
  [K in keyof S["method"]]?: S["method"][K] extends {
    methodKind: infer M;
    input: infer I extends DescMessage;
    output: infer O extends DescMessage;
  }
    ? M extends "unary"
      ? (request: MessageShape<I>, context: CallContext) => Result<MessageInitShape<O>>
      : M extends "server_streaming"
        ? (request: MessageShape<I>, context: CallContext) => AsyncIterable<MessageInitShape<O>>
        : M extends "client_streaming"
          ? (requests: AsyncIterable<MessageShape<I>>, context: CallContext) => Result<MessageInitShape<O>>
          : (requests: AsyncIterable<MessageShape<I>>, context: CallContext) => AsyncIterable<MessageInitShape<O>>
    : never;
};

/** A method with its handler, types erased. */
export interface Endpoint {
  method: DescMethod;
  handle(request: unknown, context: CallContext): unknown;
}

/** Endpoints by `service/Method`. */
export class Services {
  readonly #services = new Map<string, Map<string, Endpoint>>();

  add<S extends GenService<GenServiceMethods>>(service: S, handlers: ServiceHandlers<S>, name: string): void {
    const endpoints = new Map<string, Endpoint>();
    for (const method of service.methods as DescMethod[]) {
      const handle = (handlers as Record<string, Endpoint["handle"] | undefined>)[method.localName];
      if (handle !== undefined) endpoints.set(method.name, { method, handle: handle.bind(handlers) });
    }
    this.#services.set(name, endpoints);
  }

  has(service: string): boolean {
    return this.#services.has(service);
  }

  find(service: string, method: string): Endpoint | undefined {
    return this.#services.get(service)?.get(method);
  }
}
