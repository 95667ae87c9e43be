import { type SpanSink, fileSink, otlpJson, startTracing, traceFileVariable } from "@longshore/telemetry";

const service = "containerd-shim-longshore-v2";

/** How long the shim's end waits for the collector, in ms. */
const patience = 2000;

/** Turns tracing on when the environment asks for it, and returns what to wait for at the end. */
export function traceAsAsked(env: NodeJS.ProcessEnv = process.env): () => Promise<unknown> {
  const sinks: SpanSink[] = [];
  const sending = new Set<Promise<unknown>>();
  const file = env[traceFileVariable];
  if (file) sinks.push(fileSink(file, service));
  const url = collectorUrl(env);
  if (url !== undefined) {
    sinks.push((span) => {
      const body = otlpJson(service, span);
      // A collector that is away loses spans, never work.
      const sent = fetch(url, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body,
        signal: AbortSignal.timeout(patience),
      }).catch(() => undefined);
      sending.add(sent);
      void sent.then(() => sending.delete(sent));
    });
  }
  if (sinks.length > 0) startTracing((span) => sinks.forEach((sink) => sink(span)));
  return () => Promise.all(sending);
}

/** Where OpenTelemetry's variables say that spans go by HTTP. */
function collectorUrl(env: NodeJS.ProcessEnv): string | undefined {
  if (env["OTEL_SDK_DISABLED"] === "true" || env["OTEL_TRACES_EXPORTER"] === "none") return undefined;
  const own = env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
  if (own) return own;
  const base =
    env["OTEL_EXPORTER_OTLP_ENDPOINT"] ||
    (env["OTEL_TRACES_EXPORTER"] === "otlp" ? "http://localhost:4318" : undefined);
  return base && `${base.replace(/\/$/, "")}/v1/traces`;
}
