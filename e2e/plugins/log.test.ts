import assert from "node:assert/strict";
import { createReadStream, type ReadStream, readdirSync } from "node:fs";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type LogEntry, LogEntrySchema } from "@longshore/proto/logdriver/entry";
import { shared } from "../engine/shared.ts";
import { until } from "../host/until.ts";
import { type Method, TestPlugin } from "./plugin.ts";

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
    await shared.ok([
      "run",
      "--name",
      container,
      "--log-driver",
      plugin.name,
      "--log-opt",
      "colour=blue",
      "--label",
      "z=1",
      "busybox",
      "sh",
      "-c",
      script,
    ]);
    await until("the end of the log", () => plugin.asked("LogDriver.StopLogging").length === 1);
    const [start] = plugin.asked("LogDriver.StartLogging") as { File: string; Info: Record<string, unknown> }[];
    assert.deepEqual(plugin.asked("LogDriver.StopLogging"), [{ File: start?.File }]);
    const { Config, ContainerName, ContainerEntrypoint, ContainerImageName, ContainerLabels } = start?.Info ?? {};
    assert.deepEqual(
      [Config, ContainerName, ContainerEntrypoint, ContainerImageName, ContainerLabels],
      [{ colour: "blue" }, `/${container}`, "sh", "busybox", { z: "1" }],
    );
    const out = entries.filter(({ source }) => source === "stdout");
    assert.deepEqual(
      entries.filter(({ source }) => source === "stderr").map(({ line }) => Buffer.from(line).toString()),
      ["err"],
    );
    assert.equal(Buffer.concat(out.map(({ line }) => line)).toString(), `out${"x".repeat(20000)}open`);
    assert.deepEqual(
      out.map(({ partial, partialLogMetadata: place }) => [partial, place?.ordinal, place?.last]),
      [
        [false, undefined, undefined],
        [true, 1, false],
        [true, 2, true],
        [true, 1, false],
      ],
    );
    assert.ok(Math.abs(Number((out[0]?.timeNano ?? 0n) / 1_000_000n) - Date.now()) < 60_000);
    assert.match(await shared.ok(["logs", container]), /^out\n/);
    assert.match(await shared.ok(["info", "-f", "{{.Plugins.Log}}"]), new RegExp(plugin.name));
  });

  it("no line is lost while the plugin, or the engine, is away", async () => {
    const count = 600;
    // Small files: what is yet to be delivered lies in compressed ones, too.
    const cache = ["cache-compress=true", "cache-max-size=4k", "cache-max-file=50"].flatMap((option) => [
      "--log-opt",
      option,
    ]);
    const id = await shared.ok([
      "run",
      "-d",
      "--name",
      container,
      "--log-driver",
      plugin.name,
      ...cache,
      "busybox",
      "sh",
      "-c",
      `i=0; while [ $i -lt ${count} ]; do i=$((i+1)); echo line $i; usleep 5000; done`,
    ]);
    await until("first lines", () => entries.length > 20);
    await kill();
    await shared.engine.kill();
    await shared.engine.start();
    await plugin.start();
    await until("more lines", () => lines().includes("line 200"));
    await kill();
    await plugin.start();
    await until("the last line", () => lines().includes(`line ${count}`));
    assert.ok(readdirSync(join(shared.data, "containers", id)).some((file) => file.endsWith(".gz")));
    const got = new Set(lines());
    assert.deepEqual(
      Array.from({ length: count }, (_, i) => `line ${i + 1}`).filter((line) => !got.has(line)),
      [],
    );
    assert.ok(entries.length < 2 * count, `${entries.length} lines came, of ${count}`);
  });

  it("a driver that nobody has is refused", async () => {
    assert.match(
      (await shared.docker(["create", "--log-driver", "no-such-plugin", "busybox"])).stderr,
      /error looking up logging plugin no-such-plugin: plugin "no-such-plugin" not found/,
    );
  });

  describe("that read logs themselves", () => {
    const second = 1_000_000_000n;
    /** 2026-01-02T03:04:05Z */
    const began = 1_767_323_045n * second;
    const frame = (entry: { source: string; timeNano: bigint; text: string; partial?: boolean }): Buffer => {
      const message = toBinary(LogEntrySchema, create(LogEntrySchema, { ...entry, line: Buffer.from(entry.text) }));
      const length = Buffer.alloc(4);
      length.writeUInt32BE(message.length);
      return Buffer.concat([length, message]);
    };
    const stored = [0n, 1n, 2n, 5n].map((at) =>
      frame({
        source: at === 1n ? "stderr" : "stdout",
        timeNano: began + at * second,
        text: `line ${at}\n`,
        partial: at === 5n,
      }),
    );
    const reads: Method = () => ({ Cap: { ReadLogs: true } });
    const answer: Method = (_body, response) => void response.end(Buffer.concat(stored));
    const capable = (read: Method): Record<string, Method> => ({
      "LogDriver.Capabilities": reads,
      "LogDriver.ReadLogs": read,
    });
    const logs = (...args: string[]) => shared.docker(["logs", ...args, container]);
    const run = (...args: string[]) =>
      shared.ok([
        "run",
        "-d",
        "--name",
        container,
        "--log-driver",
        plugin.name,
        ...args,
        "busybox",
        "sh",
        "-c",
        "echo own; exec sleep 1000",
      ]);

    it("answer docker logs, in time and streams as they are asked", async () => {
      await run("--log-opt", "colour=blue", "--log-opt", "cache-disabled=true");
      await plugin.during(capable(answer), async () => {
        const whole = await logs();
        assert.deepEqual([whole.stdout, whole.stderr], ["line 0\nline 2\nline 5\n", "line 1\n"]);
        assert.equal((await logs("-t", "--details", "--tail", "2")).stderr, "2026-01-02T03:04:06.000000000Z  line 1\n");
        assert.equal(
          (await logs("--since", "2026-01-02T03:04:06Z", "--until", "2026-01-02T03:04:07Z")).stdout,
          "line 2\n",
        );
        const [first, tail, bounds] = plugin.asked("LogDriver.ReadLogs") as {
          Info: Record<string, unknown>;
          Config: object;
        }[];
        const none = "0001-01-01T00:00:00Z";
        assert.deepEqual(first?.Config, { Since: none, Until: none, Tail: -1, Follow: false });
        assert.deepEqual(first?.Info["Config"], { colour: "blue", "cache-disabled": "true" });
        assert.deepEqual(tail?.Config, { Since: none, Until: none, Tail: 2, Follow: false });
        assert.deepEqual(bounds?.Config, {
          Since: "2026-01-02T03:04:06Z",
          Until: "2026-01-02T03:04:07Z",
          Tail: -1,
          Follow: false,
        });
      });
    });

    it("stream while they are followed, with all that was written before", async () => {
      await run();
      const follow: Method = (_body, response) => {
        response.write(stored[0]);
        // What the container wrote before has arrived when its log is read.
        for (const line of lines())
          response.write(frame({ source: "stdout", timeNano: began + second, text: `${line}\n` }));
        setTimeout(() => response.end(stored[2]), 100);
      };
      await plugin.during(capable(follow), async () =>
        assert.equal((await logs("-f")).stdout, "line 0\nown\nline 2\n"),
      );
      assert.equal((plugin.asked("LogDriver.ReadLogs") as { Config: { Follow: boolean } }[])[0]?.Config.Follow, true);
    });

    it("say what keeps them from it in the stream; one that is away is not waited for", async () => {
      await run();
      const cases: [Method, string][] = [
        [() => ({ Err: "cannot read" }), "error decoding log message: unexpected EOF"],
        [() => assert.fail("five hundred"), "error getting log reader: LogDriver.ReadLogs: five hundred"],
        [
          (_body, response) => void response.write(stored[0], () => response.destroy()),
          "error decoding log message: unexpected EOF",
        ],
      ];
      for (const [method, message] of cases)
        await plugin.during(capable(method), async () =>
          assert.match(
            (await logs()).stderr,
            new RegExp(`error from daemon in stream: Error grabbing logs: ${message}`),
          ),
        );
      await kill();
      assert.equal((await logs()).stdout, "own\n");
    });

    it("are not asked when they cannot; without a copy of ours nobody can", async () => {
      assert.match(
        (await shared.docker(["create", "--log-driver", plugin.name, "--log-opt", "cache-disabled=maybe", "busybox"]))
          .stderr,
        /invalid value for option cache-disabled: maybe/,
      );
      await run("--log-opt", "cache-disabled=1");
      assert.match((await logs()).stderr, /configured logging driver does not support reading/);
      assert.deepEqual(plugin.asked("LogDriver.ReadLogs"), []);
      await kill();
      assert.match(
        (await logs()).stderr,
        /Error grabbing logs: error getting log reader: Post .*: connect: no such file or directory/,
      );
    });
  });
});
