import type { AsyncLocalStorage } from "node:async_hooks";
import { type SpanContext, formatTraceparent } from "./traceparent.ts";

/** Work that is over. Times are nanoseconds since 1970. */
export interface FinishedSpan {
  readonly name: string;
  readonly context: SpanContext;
  readonly parent: SpanContext | undefined;
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: Readonly<Record<string, string>>;
  /** What the work failed with. */
  readonly error: string | undefined;
}

/** Takes spans as they end; must not throw. */
export type SpanSink = (span: FinishedSpan) => void;

interface Tracer {
  readonly sink: SpanSink;
  readonly contexts: AsyncLocalStorage<SpanContext | undefined>;
}

let tracer: Tracer | undefined;

/** Turns tracing on in this process. Until then nothing is loaded, kept or measured. */
export function startTracing(sink: SpanSink): void {
  const { AsyncLocalStorage } = process.getBuiltinModule("node:async_hooks");
  tracer = { sink, contexts: new AsyncLocalStorage() };
}

/** The span that the caller runs in. */
export function currentSpan(): SpanContext | undefined {
  return tracer?.contexts.getStore();
}

/** The `traceparent` for calls to other processes; nothing outside of spans. */
export function currentTraceparent(): string | undefined {
  const context = currentSpan();
  return context && formatTraceparent(context);
}

/** Runs `work` as if within `parent`; without one, in the caller's span. */
export function withParent<T>(parent: SpanContext | undefined, work: () => T): T {
  return tracer === undefined || parent === undefined ? work() : tracer.contexts.run(parent, work);
}

/** Runs `work`, and what it leaves behind such as timers, in no span. */
export function untraced<T>(work: () => T): T {
  return tracer === undefined ? work() : tracer.contexts.run(undefined, work);
}

/**
 * Runs `work` within a new span below the current one, which ends when the promise settles. Outside
 * of spans it begins none unless `root` says so: background work makes no traces.
 */
export function span<T>(
  name: string,
  work: () => Promise<T>,
  options: { attributes?: Record<string, string>; root?: boolean } = {},
): Promise<T> {
  if (tracer === undefined) return work();
  const { sink, contexts } = tracer;
  const parent = contexts.getStore();
  if (parent === undefined ? options.root !== true : !parent.sampled) return work();
  const context: SpanContext = { traceId: parent?.traceId ?? randomId(16), spanId: randomId(8), sampled: true };
  const start = now();
  const end = (error: string | undefined): void =>
    sink({ name, context, parent, start, end: now(), attributes: options.attributes ?? {}, error });
  return contexts.run(context, work).then(
    (value) => {
      end(undefined);
      return value;
    },
    (error: unknown) => {
      end(error instanceof Error ? error.message : String(error));
      throw error;
    },
  );
}

function now(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n;
}

/** Not by node:crypto: a shim that loads it keeps half a megabyte more. */
function randomId(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("hex");
}
