import assert from "node:assert/strict";
import { createReadStream, existsSync, type ReadStream } from "node:fs";
import { appendFile, mkdtemp, rename, rm, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fromBinary } from "@bufbuild/protobuf";
import { Unavailable } from "@longshore/errdefs";
import { silent } from "@longshore/log";
import { Plugin, Plugins } from "@longshore/plugins";
import { LogEntrySchema } from "@longshore/proto/logdriver/entry";
import { LogCursor } from "./cursor.ts";
import { LogDrivers, type LogInfo } from "./driver.ts";
import { Entries } from "./entries.ts";
import { LogFeed } from "./feed.ts";

const record = (text: string, stream = "stdout"): string => `${JSON.stringify({ log: text, stream, time: "2026-01-01T00:00:00.000000001Z" })}\n`;
const lineOf = (frame: Buffer | undefined) => fromBinary(LogEntrySchema, frame?.subarray(4) ?? Buffer.alloc(0));

/** Plugins of which one reads FIFOs in this process, unless it is `away`. */
class FakePlugins extends Plugins {
  away = false;
  received = "";
  readonly stopped: string[] = [];
  readonly readers = new Set<ReadStream>();

  override async get(name: string): Promise<Plugin> {
    if (this.away) throw new Unavailable("away");
    const plugin = new Plugin(name, ["LogDriver"], async () => ({ socketPath: "" }));
    plugin.call = async <T>(method: string, body?: unknown): Promise<T> => {
      const { File } = body as { File: string };
      if (method === "LogDriver.StopLogging") this.stopped.push(File);
      else this.#read(File);
      return {} as T;
    };
    return plugin;
  }

  #read(path: string): void {
    const stream = createReadStream(path).on("data", (chunk) => (this.received += Buffer.from(chunk).toString("latin1")));
    this.readers.add(stream.once("close", () => this.readers.delete(stream)).on("error", () => undefined));
  }
}

describe("feeding a log driver", () => {
  let dir = "";
  let log = "";
  let plugins: FakePlugins;
  const feed = (): LogFeed => new LogFeed({ driver: "x", drivers: new LogDrivers(plugins, dir), info: {} as LogInfo, log, state: join(dir, "state.json"), logger: silent, after: undefined });
  const until = async (done: () => boolean): Promise<void> => {
    while (!done()) await sleep(10);
  };

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "lsfeed-"));
    log = join(dir, "x.log");
    plugins = new FakePlugins({ log: silent });
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it("frames: pieces of one line carry its id, streams apart", () => {
    const entries = new Entries();
    const [first, other, last, whole] = [record("a"), record("e\n", "stderr"), record("b\n"), record("c\n")].map((text) => lineOf(entries.frame(text)));
    assert.deepEqual([first?.partialLogMetadata?.ordinal, last?.partialLogMetadata?.ordinal, last?.partialLogMetadata?.last], [1, 2, true]);
    assert.equal(first?.partialLogMetadata?.id, last?.partialLogMetadata?.id);
    assert.deepEqual([other?.source, other?.partial, whole?.partial, whole?.timeNano], ["stderr", false, false, 1767225600000000001n]);
    assert.equal(entries.frame("no record"), undefined);
  });

  it("a cursor goes through rotations, and on from where it was", async () => {
    const text = async (cursor: LogCursor): Promise<string> => (await cursor.next()).map((line) => line.text.trim()).join();
    await writeFile(log, "1\n2\n");
    const cursor = new LogCursor(log, undefined);
    const [one] = await cursor.next();
    assert.equal(one?.text, "1\n");
    await rename(log, `${log}.1`);
    await appendFile(`${log}.1`, "3\n");
    await writeFile(log, "4\n");
    assert.deepEqual([await text(cursor), await text(cursor), await text(cursor)], ["3", "4", ""]);
    await cursor.close();
    const again = new LogCursor(log, one?.next);
    assert.deepEqual([await text(again), await text(again)], ["2,3", "4"]);
    await again.close();
    await unlink(`${log}.1`);
    const late = new LogCursor(log, one?.next);
    assert.equal(await text(late), "4");
    await late.close();
  });

  it("delivers what came while nobody fed it, once, and tells the plugin of the end", async () => {
    await writeFile(log, record("one\n"));
    const first = feed();
    await until(() => plugins.received.includes("one"));
    await first.close();
    await appendFile(log, record("two\n"));
    const second = feed();
    await second.finish(10_000);
    assert.equal(plugins.received.match(/one|two/g)?.join(), "one,two");
    assert.equal(plugins.stopped.length, 2);
    assert.ok(!plugins.stopped.some((path) => existsSync(path)));
    await feed().finish(10_000);
    assert.equal(plugins.stopped.length, 2);
  });

  it("waits for a plugin that is away", async () => {
    plugins.away = true;
    await writeFile(log, record("one\n"));
    const waiting = feed();
    await waiting.finish(50);
    assert.equal(plugins.received, "");
    plugins.away = false;
    await waiting.finish(10_000);
    assert.match(plugins.received, /one/);
  });
});
