import type { FinishedSpan, SpanContext as OwnContext, SpanSink } from "./index.ts";
import { type HrTime, type SpanContext, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { type Resource, defaultResource, resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, type ReadableSpan } from "@opentelemetry/sdk-trace-base";

/** Sends spans in batches to the collector that OpenTelemetry's own variables name. */
export function openCollector(service: string): { sink: SpanSink; flush: () => Promise<void> } {
  const resource = defaultResource().merge(
    resourceFromAttributes({ "service.name": process.env["OTEL_SERVICE_NAME"] ?? service, "process.pid": process.pid }),
  );
  const processor = new BatchSpanProcessor(new OTLPTraceExporter());
  return { sink: (span) => processor.onEnd(readable(span, resource)), flush: () => processor.shutdown() };
}

function readable(span: FinishedSpan, resource: Resource): ReadableSpan {
  const { name, start, end, error, attributes } = span;
  const context = contextOf(span.context);
  return {
    name,
    kind: SpanKind.INTERNAL,
    spanContext: () => context,
    ...(span.parent && { parentSpanContext: { ...contextOf(span.parent) } }),
    startTime: time(start),
    endTime: time(end),
    duration: time(end - start),
    status: error === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: error },
    attributes,
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: { name: "longshore" },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function contextOf({ traceId, spanId, sampled }: OwnContext): SpanContext {
  return { traceId, spanId, traceFlags: sampled ? 1 : 0 };
}

function time(nanoseconds: bigint): HrTime {
  return [Number(nanoseconds / 1_000_000_000n), Number(nanoseconds % 1_000_000_000n)];
}
