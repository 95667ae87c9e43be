import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { must } from "../host/exec.ts";
import { until } from "../host/until.ts";
import { importBusybox } from "../engine/busybox.ts";
import { Longshore } from "../engine/longshore.ts";
import { repository } from "../engine/tools.ts";

interface Span {
  service: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
}

interface Line {
  resourceSpans: {
    resource: { attributes: { value: { stringValue: string } }[] };
    scopeSpans: { spans: Omit<Span, "service">[] }[];
  }[];
}

/** What each process must tell of one `docker run`. */
const expected: Record<string, string[]> = {
  dockerd: [
    "POST /containers/create",
    "container record",
    "snapshot prepare",
    "POST /containers/:name/start",
    "network allocate",
    "task create",
    "attach",
    "task start",
    "exit",
    "delete",
  ],
  containerd: [
    "containerd.services.snapshots.v1.Snapshots/Prepare",
    "containerd.services.tasks.v1.Tasks/Create",
    "bundle",
    "shim start",
    "containerd.services.tasks.v1.Tasks/Delete",
  ],
  "containerd-shim-longshore-v2": ["mounts", "runc create", "runc start", "exit", "runc delete"],
};

describe("tracing", () => {
  const engine = new Longshore({ bridge: `lst${process.pid}`, address: `10.214.${process.pid % 250}.1/24` });
  const file = join(engine.dir, "trace.jsonl");

  const spans = (): Span[] =>
    readFileSync(file, "utf8")
      .split("\n")
      .filter(Boolean)
      .flatMap((line) => (JSON.parse(line) as Line).resourceSpans)
      .flatMap(({ resource, scopeSpans }) =>
        scopeSpans.flatMap((scope) =>
          scope.spans.map((span) => ({ ...span, service: resource.attributes[0]!.value.stringValue })),
        ),
      );

  before(async () => {
    for (const daemon of [engine.containerd, engine.engine]) daemon.env = { ...daemon.env, LONGSHORE_TRACE_FILE: file };
    await engine.start();
    await importBusybox(engine);
  });
  after(() => engine.dispose());

  it("shows one docker run as one trace over dockerd, containerd and the shim", async () => {
    assert.equal(await engine.ok(["run", "--rm", "busybox", "echo", "traced"]), "traced");
    const missing = (): string[] => {
      const all = spans();
      const traceId = all.find(({ name }) => name === "POST /containers/create")?.traceId;
      const seen = new Set(
        all.filter((span) => span.traceId === traceId).map(({ service, name }) => `${service}: ${name}`),
      );
      return Object.entries(expected).flatMap(([service, names]) =>
        names.map((name) => `${service}: ${name}`).filter((name) => !seen.has(name)),
      );
    };
    await until(
      "all spans are written",
      () => missing().length === 0 || Promise.reject(new Error(`missing: ${missing().join(", ")}`)),
    );
    const all = spans();
    const { traceId } = all.find(({ name }) => name === "POST /containers/create")!;
    const run = all.filter((span) => span.traceId === traceId);
    const ids = new Set(run.map(({ spanId }) => spanId));
    assert.deepEqual(
      run.filter(({ parentSpanId }) => parentSpanId === undefined).map(({ name }) => name),
      ["POST /containers/create"],
    );
    const named = run.filter(({ name }) => !name.startsWith("POST "));
    assert.deepEqual(
      named.filter(({ parentSpanId }) => !ids.has(parentSpanId ?? "")).map(({ name }) => name),
      [],
    );
  });

  it("goes on with the trace that a client names", async () => {
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    await must("curl", [
      "-sf",
      "--unix-socket",
      engine.host.replace("unix://", ""),
      "-H",
      `traceparent: 00-${traceId}-b7ad6b7169203331-01`,
      "http://docker/containers/json",
    ]);
    await until("the request's span is written", () =>
      spans().some((span) => span.traceId === traceId && span.parentSpanId === "b7ad6b7169203331"),
    );
  });

  it("is turned into a picture and a file for Perfetto", async () => {
    const out = join(engine.dir, "picture");
    await must(join(repository, "scripts/trace"), [file, out]);
    assert.match(readFileSync(`${out}.svg`, "utf8"), /runc create/);
    const { traceEvents } = JSON.parse(readFileSync(`${out}.json`, "utf8")) as {
      traceEvents: { name: string; ph: string }[];
    };
    assert.ok(traceEvents.some(({ name, ph }) => name === "network allocate" && ph === "X"));
  });
});
