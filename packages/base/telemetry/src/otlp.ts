import type { FinishedSpan } from "./span.ts";

interface Attribute {
  key: string;
  value: { stringValue: string };
}

/** One span as an OTLP `ExportTraceServiceRequest` in JSON, as collectors read it from files and over HTTP. */
export function otlpJson(service: string, span: FinishedSpan): string {
  const { name, context, parent, start, end, error } = span;
  const record = {
    traceId: context.traceId,
    spanId: context.spanId,
    ...(parent && { parentSpanId: parent.spanId }),
    name,
    kind: 1,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(end),
    attributes: attributes(span.attributes),
    status: error === undefined ? {} : { code: 2, message: error },
  };
  const resource = { attributes: attributes({ "service.name": service, "process.pid": String(process.pid) }) };
  return JSON.stringify({
    resourceSpans: [{ resource, scopeSpans: [{ scope: { name: "longshore" }, spans: [record] }] }],
  });
}

function attributes(values: Readonly<Record<string, string>>): Attribute[] {
  return Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }));
}
