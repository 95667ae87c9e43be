import assert from "node:assert/strict";
import { createReadStream, existsSync, type ReadStream } from "node:fs";
import { appendFile, mkdtemp, rename, rm, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { fromBinary } from "@bufbuild/protobuf";
import { Unavailable } from "@longshore/errdefs";
import { silent } from "@longshore/logger";
import { Plugin, Plugins } from "@longshore/plugins";
import { LogEntrySchema } from "@longshore/proto/logdriver/entry";
import { LogCursor } from "./cursor.ts";
import { LogDrivers, type LogInfo } from "./driver.ts";
import { Entries } from "./entries.ts";
import { LogFeed } from "./feed.ts";
import { pluginOutlets } from "./plugin-outlet.ts";

const record = (text: string, stream = "stdout"): string =>
  `${JSON.stringify({ log: text, stream, time: "2026-01-01T00:00:00.000000001Z" })}\n`;
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
    const stream = createReadStream(path).on(
      "data",
      (chunk) => (this.received += Buffer.from(chunk).toString("latin1")),
    );
    this.readers.add(stream.once("close", () => this.readers.delete(stream)).on("error", () => undefined));
  }
}

describe("feeding a log driver", () => {
  let dir = "";
  let log = "";
  let plugins: FakePlugins;
  const feed = (): LogFeed =>
    new LogFeed({
      outlets: pluginOutlets("x", new LogDrivers(plugins, dir), {} as LogInfo),
      container: "c",
      log,
      state: join(dir, "state.json"),
      logger: silent,
      after: undefined,
    });
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
    const [first, other, last, whole] = [record("a"), record("e\n", "stderr"), record("b\n"), record("c\n")].map(
      (text) => lineOf(entries.frame(text)),
    );
    assert.deepEqual(
      [first?.partialLogMetadata?.ordinal, last?.partialLogMetadata?.ordinal, last?.partialLogMetadata?.last],
      [1, 2, true],
    );
    assert.equal(first?.partialLogMetadata?.id, last?.partialLogMetadata?.id);
    assert.deepEqual(
      [other?.source, other?.partial, whole?.partial, whole?.timeNano],
      ["stderr", false, false, 1767225600000000001n],
    );
    assert.equal(entries.frame("no record"), undefined);
  });

  it("a cursor goes through rotations, and on from where it was", async () => {
    const text = async (cursor: LogCursor): Promise<string> =>
      (await cursor.next()).map((line) => line.text.trim()).join();
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

  it("a cursor finds its place in files that are compressed meanwhile", async () => {
    const at = (second: number): string =>
      `${JSON.stringify({ log: `${second}\n`, stream: "stdout", time: `2026-01-01T00:00:0${second}Z` })}\n`;
    const all = async (cursor: LogCursor): Promise<string> => {
      const found: string[] = [];
      for (let lines = await cursor.next(); lines.length > 0; lines = await cursor.next())
        found.push(...lines.map(({ text }) => (JSON.parse(text) as { log: string }).log.trim()));
      await cursor.close();
      return found.join();
    };
    await writeFile(log, at(1) + at(2) + at(3));
    const cursor = new LogCursor(log, undefined);
    const [, two] = await cursor.next();
    await cursor.close();
    await writeFile(`${log}.2.gz`, gzipSync(at(1) + at(2) + at(3)));
    await writeFile(`${log}.1.gz`, gzipSync(at(4) + at(5)));
    await writeFile(log, at(6));
    // The file that it was read from is another one now.
    assert.equal(
      await all(new LogCursor(log, { file: "0:0", offset: two?.next.offset ?? 0, time: two?.next.time ?? "" })),
      "3,4,5,6",
    );
    const packed = new LogCursor(log, undefined);
    const [first] = await packed.next();
    await packed.close();
    assert.equal(await all(new LogCursor(log, first?.next)), "2,3,4,5,6");
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
