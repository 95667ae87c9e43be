import { openSync, writeSync } from "node:fs";
import { otlpJson } from "./otlp.ts";
import type { SpanSink } from "./span.ts";

/** Names a file that all processes append their spans to, one line of OTLP each. */
export const traceFileVariable = "LONGSHORE_TRACE_FILE";

/** Appends spans to a file; one write a line, so that processes may share it. A full disk loses spans, not work. */
export function fileSink(path: string, service: string): SpanSink {
  const fd = openSync(path, "a", 0o600);
  return (span) => {
    try {
      writeSync(fd, `${otlpJson(service, span)}\n`);
    } catch {
      // Tracing must not fail what it watches.
    }
  };
}
