/** Which span work belongs to. */
export interface SpanContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  /** Whether the caller records the trace. */
  readonly sampled: boolean;
}

const form = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?=$|-)/;

/** Reads a `traceparent` header (W3C Trace Context); nothing when there is none or it is malformed, as the standard asks. */
export function parseTraceparent(header: string | undefined): SpanContext | undefined {
  const match = form.exec(header ?? "");
  if (match === null || (header!.startsWith("00") && header!.length !== 55)) return undefined;
  const [, traceId = "", spanId = "", flags = ""] = match;
  return { traceId, spanId, sampled: (parseInt(flags, 16) & 1) === 1 };
}

/** The header for calls made within a span. */
export function formatTraceparent({ traceId, spanId, sampled }: SpanContext): string {
  return `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;
}
