import type { Span } from "./read.ts";

/** A trace in Chrome's trace-event format. Spans that overlap without nesting get rows of their own, as the format asks. */
export function chromeTrace(spans: readonly Span[]): string {
  const names = new Map(spans.map(({ pid, service }) => [pid, service]));
  const rows = new Map<number, Span[][]>();
  const events = spans.map((span) => {
    const own = rows.get(span.pid) ?? [];
    rows.set(span.pid, own);
    let tid = own.findIndex((row) => row.every((other) => other.end <= span.start || other.end >= span.end));
    if (tid < 0) tid = own.push([]) - 1;
    own[tid]!.push(span);
    return {
      name: span.name,
      ph: "X",
      ts: span.start,
      dur: span.end - span.start,
      pid: span.pid,
      tid,
      args: { span: span.id, parent: span.parent ?? "" },
    };
  });
  const processes = [...names].map(([pid, name]) => ({ name: "process_name", ph: "M", pid, args: { name } }));
  return `${JSON.stringify({ traceEvents: [...processes, ...events] })}\n`;
}
