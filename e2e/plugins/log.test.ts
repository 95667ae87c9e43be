import assert from "node:assert/strict";
import { createReadStream, type ReadStream } from "node:fs";
import { fromBinary } from "@bufbuild/protobuf";
import { type LogEntry, LogEntrySchema } from "@longshore/proto/logdriver/entry";
import { shared } from "../engine/shared.ts";
import { until } from "../host/until.ts";
import { TestPlugin } from "./plugin.ts";

describe("log driver plugins", () => {
  const container = "e2e-plugin-log";
  const open = new Set<ReadStream>();
  let entries: LogEntry[] = [];
  const lines = (): string[] => entries.map(({ line }) => Buffer.from(line).toString());

  /** Reads frames from a FIFO until its writer closes it. */
  function read(path: string): void {
    let rest = Buffer.alloc(0);
    const stream = createReadStream(path);
    open.add(stream);
    stream.on("data", (chunk) => {
      rest = Buffer.concat([rest, chunk as Buffer]);
      while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE()) {
        const end = 4 + rest.readUInt32BE();
        entries.push(fromBinary(LogEntrySchema, rest.subarray(4, end)));
        rest = rest.subarray(end);
      }
    });
    stream.on("error", () => undefined).once("close", () => open.delete(stream));
  }

  const plugin = new TestPlugin("log", ["LogDriver"], {
    "LogDriver.Capabilities": () => ({ Cap: { ReadLogs: false } }),
    "LogDriver.StartLogging": ({ File }) => {
      read(String(File));
      return { Err: "" };
    },
  });
  async function kill(): Promise<void> {
    for (const stream of open) stream.destroy();
    await plugin.stop();
  }

  before(() => plugin.start());
  beforeEach(() => {
    entries = [];
    plugin.calls.splice(0);
  });
  afterEach(async () => {
    await plugin.stop();
    await plugin.start();
    await shared.docker(["rm", "-f", container]);
  });
  after(kill);

  it("get each line with its stream and time, and docker logs shows them, too", async () => {
    const script = "echo out; echo err >&2; head -c 20000 /dev/zero | tr '\\0' x; echo; printf open";
    await shared.ok(["run", "--name", container, "--log-driver", plugin.name, "--log-opt", "colour=blue", "--label", "z=1", "busybox", "sh", "-c", script]);
    await until("the end of the log", () => plugin.asked("LogDriver.StopLogging").length === 1);
    const [start] = plugin.asked("LogDriver.StartLogging") as { File: string; Info: Record<string, unknown> }[];
    assert.deepEqual(plugin.asked("LogDriver.StopLogging"), [{ File: start?.File }]);
    const { Config, ContainerName, ContainerEntrypoint, ContainerImageName, ContainerLabels } = start?.Info ?? {};
    assert.deepEqual([Config, ContainerName, ContainerEntrypoint, ContainerImageName, ContainerLabels], [{ colour: "blue" }, `/${container}`, "sh", "busybox", { z: "1" }]);
    const out = entries.filter(({ source }) => source === "stdout");
    assert.deepEqual(entries.filter(({ source }) => source === "stderr").map(({ line }) => Buffer.from(line).toString()), ["err"]);
    assert.equal(Buffer.concat(out.map(({ line }) => line)).toString(), `out${"x".repeat(20000)}open`);
    assert.deepEqual(out.map(({ partial, partialLogMetadata: place }) => [partial, place?.ordinal, place?.last]), [[false, undefined, undefined], [true, 1, false], [true, 2, true], [true, 1, false]]);
    assert.ok(Math.abs(Number((out[0]?.timeNano ?? 0n) / 1_000_000n) - Date.now()) < 60_000);
    assert.match(await shared.ok(["logs", container]), /^out\n/);
    assert.match(await shared.ok(["info", "-f", "{{.Plugins.Log}}"]), new RegExp(plugin.name));
  });

  it("no line is lost while the plugin, or the engine, is away", async () => {
    const count = 600;
    await shared.ok(["run", "-d", "--name", container, "--log-driver", plugin.name, "busybox", "sh", "-c", `i=0; while [ $i -lt ${count} ]; do i=$((i+1)); echo line $i; usleep 5000; done`]);
    await until("first lines", () => entries.length > 20);
    await kill();
    await shared.engine.kill();
    await shared.engine.start();
    await plugin.start();
    await until("more lines", () => lines().includes("line 200"));
    await kill();
    await plugin.start();
    await until("the last line", () => lines().includes(`line ${count}`));
    const got = new Set(lines());
    assert.deepEqual(Array.from({ length: count }, (_, i) => `line ${i + 1}`).filter((line) => !got.has(line)), []);
    assert.ok(entries.length < 2 * count, `${entries.length} lines came, of ${count}`);
  });

  it("a driver that nobody has is refused", async () => {
    assert.match((await shared.docker(["create", "--log-driver", "no-such-plugin", "busybox"])).stderr, /error looking up logging plugin no-such-plugin: plugin "no-such-plugin" not found/);
  });
});
