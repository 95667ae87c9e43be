import { readFileSync } from "node:fs";

/** A span of a file that LONGSHORE_TRACE_FILE named. Times are microseconds since 1970. */
export interface Span {
  readonly traceId: string;
  readonly id: string;
  readonly parent: string | undefined;
  readonly name: string;
  readonly service: string;
  readonly pid: number;
  readonly start: number;
  readonly end: number;
  readonly error: boolean;
}

interface Line {
  resourceSpans: {
    resource: { attributes: { key: string; value: { stringValue: string } }[] };
    scopeSpans: {
      spans: {
        traceId: string;
        spanId: string;
        parentSpanId?: string;
        name: string;
        startTimeUnixNano: string;
        endTimeUnixNano: string;
        status: { code?: number };
      }[];
    }[];
  }[];
}

/** The spans of one trace, oldest first: of the one named, else of the one with the most. @throws Error when there are none */
export function readTrace(path: string, traceId?: string): Span[] {
  const lines = readFileSync(path, "utf8").split("\n").filter(Boolean);
  const all = lines.flatMap((line) => spansOf(JSON.parse(line) as Line));
  const traces = Map.groupBy(all, (span) => span.traceId);
  const trace =
    traceId === undefined ? [...traces.values()].toSorted((a, b) => b.length - a.length)[0] : traces.get(traceId);
  if (trace === undefined) throw new Error(`${path}: no such trace`);
  return trace.toSorted((a, b) => a.start - b.start || b.end - a.end);
}

function spansOf(line: Line): Span[] {
  return line.resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const attributes = new Map(resource.attributes.map(({ key, value }) => [key, value.stringValue]));
    return scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        traceId: span.traceId,
        id: span.spanId,
        parent: span.parentSpanId,
        name: span.name,
        service: attributes.get("service.name") ?? "",
        pid: Number(attributes.get("process.pid")),
        start: Number(BigInt(span.startTimeUnixNano) / 1000n),
        end: Number(BigInt(span.endTimeUnixNano) / 1000n),
        error: span.status.code === 2,
      })),
    );
  });
}
