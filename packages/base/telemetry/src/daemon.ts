import { type SpanSink, fileSink, startTracing, traceFileVariable } from "./index.ts";

/** Sends what is left; resolves within seconds. */
export type Flush = () => Promise<void>;

/** Whether OpenTelemetry's variables name a collector, as dockerd reads them. */
function wantsCollector(env: NodeJS.ProcessEnv): boolean {
  if (env["OTEL_SDK_DISABLED"] === "true" || env["OTEL_TRACES_EXPORTER"] === "none") return false;
  return (
    env["OTEL_TRACES_EXPORTER"] === "otlp" ||
    Boolean(env["OTEL_EXPORTER_OTLP_ENDPOINT"] || env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
  );
}

/** Turns tracing on when the environment asks for it; OpenTelemetry's libraries are loaded only then. */
export async function configureTracing(service: string, env: NodeJS.ProcessEnv = process.env): Promise<Flush> {
  const sinks: SpanSink[] = [];
  let flush: Flush = async () => undefined;
  const file = env[traceFileVariable];
  if (file) sinks.push(fileSink(file, service));
  if (wantsCollector(env)) {
    const collector = (await import("./collector.ts")).openCollector(service);
    sinks.push(collector.sink);
    flush = collector.flush;
  }
  if (sinks.length > 0) startTracing((span) => sinks.forEach((sink) => sink(span)));
  return flush;
}
