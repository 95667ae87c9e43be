export { type SpanContext, formatTraceparent, parseTraceparent } from "./traceparent.ts";
export {
  type FinishedSpan,
  type SpanSink,
  currentSpan,
  currentTraceparent,
  span,
  startTracing,
  untraced,
  withParent,
} from "./span.ts";
export { otlpJson } from "./otlp.ts";
export { fileSink, traceFileVariable } from "./file.ts";
