import assert from "node:assert/strict";
import { mkfifo } from "@longshore/sys";
import { appendFile, mkdir, mkdtemp, readFile, rename, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { LogDamage } from "../damage.ts";
import { nanosOf, renderLine } from "../line.ts";
import { openLog, type ReadOptions } from "./reader.ts";
import type { LogShow } from "../render.ts";

function record(n: number): string {
  return `${JSON.stringify({ log: `line ${n}\n`, stream: n % 2 === 0 ? "stdout" : "stderr", time: `2026-01-01T00:00:${String(n % 60).padStart(2, "0")}.5Z` })}\n`;
}

function records(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, index) => record(from + index)).join("");
}

const all: ReadOptions = {
  tail: -1,
  follow: false,
  ended: AbortSignal.abort(),
  signal: new AbortController().signal,
  damaged: ({ problem }) => assert.fail(problem),
};
const show: LogShow = {
  stdout: true,
  stderr: true,
  framed: false,
  timestamps: false,
  details: false,
  since: 0n,
  until: 0n,
};

/** The texts of the records that are read. */
async function* linesIn(path: string, options: ReadOptions, wanted: LogShow = show): AsyncGenerator<string> {
  for await (const bytes of (await openLog(path, options, wanted)).read())
    yield* Buffer.from(bytes).toString().match(/.*\n/g) ?? [];
}

async function numbers(path: string, options: Partial<ReadOptions & LogShow> = {}): Promise<number[]> {
  const found: number[] = [];
  for await (const line of linesIn(path, { ...all, ...options }, { ...show, ...options }))
    found.push(Number(line.slice(5)));
  return found;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

describe("reading json-file logs", () => {
  let dir = "";
  let path = "";
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "logs-"));
    path = join(dir, "x-json.log");
    await writeFile(`${path}.2.gz`, gzipSync(records(0, 10)));
    await writeFile(`${path}.1`, records(10, 20));
    await writeFile(path, records(20, 30));
  });
  afterEach(() => rm(dir, { recursive: true }));

  it("goes through rotated and compressed files, oldest first", async () => {
    assert.deepEqual(await numbers(path), range(0, 30));
  });

  it("takes the tail from as few files as it needs", async () => {
    assert.deepEqual(await numbers(path, { tail: 0 }), []);
    assert.deepEqual(await numbers(path, { tail: 3 }), range(27, 30));
    assert.deepEqual(await numbers(path, { tail: 10 }), range(20, 30));
    assert.deepEqual(await numbers(path, { tail: 15 }), range(15, 30));
    assert.deepEqual(await numbers(path, { tail: 25 }), range(5, 30));
    assert.deepEqual(await numbers(path, { tail: 99 }), range(0, 30));
  });

  it("finds the tail of a file larger than what it reads at once", async () => {
    await writeFile(path, records(20, 5000));
    assert.deepEqual(await numbers(path, { tail: 4000 }), range(1000, 5000));
  });

  it("keeps to since and until", async () => {
    assert.deepEqual(
      await numbers(path, { since: nanosOf("2026-01-01T00:00:05.5Z"), until: nanosOf("2026-01-01T00:00:08Z") }),
      [5, 6, 7],
    );
  });

  it("leaves out a line that is not finished, and one that is damaged", async () => {
    await appendFile(path, `broken\n${record(30)}${record(31).slice(0, 20)}`);
    const problems: string[] = [];
    assert.deepEqual(await numbers(path, { damaged: ({ problem }) => problems.push(problem) }), range(0, 31));
    assert.deepEqual(problems, ["1 of its lines is no record"]);
  });

  it("gives what is left of rotated files that are damaged, and says so", async () => {
    const whole = gzipSync(
      Buffer.from(Array.from({ length: 5000 }, (_, i) => record(i).replace("line", `${Math.random()} line`)).join("")),
    );
    await writeFile(`${path}.2.gz`, whole.subarray(0, whole.length >> 1));
    await writeFile(`${path}.3.gz`, "no gzip");
    const problems: LogDamage[] = [];
    const lines: string[] = [];
    for await (const line of linesIn(path, { ...all, damaged: (damage) => problems.push(damage) })) lines.push(line);
    assert.deepEqual(
      lines.slice(-20),
      range(10, 30).map((n) => `line ${n}\n`),
    );
    assert.ok(lines.length > 2000 && lines.length < 4000, String(lines.length));
    assert.deepEqual(problems, [
      { path: `${path}.3.gz`, problem: "what it was compressed to is damaged" },
      { path: `${path}.2.gz`, problem: "it ends too early" },
    ]);
    assert.deepEqual(await numbers(path, { tail: 15, damaged: (damage) => problems.push(damage) }), range(15, 30));
    assert.equal(problems.length, 2);
  });

  for (const [what, make] of [
    ["directory", mkdir],
    ["FIFO", mkfifo],
    ["link to itself", (file: string) => symlink(file, file)],
  ] as const) {
    it(`reads the rotated files when a ${what} is in the place of the log`, async () => {
      await rm(path);
      await make(path, 0o755 as never);
      const problems: string[] = [];
      const damaged: ReadOptions["damaged"] = ({ problem }) => problems.push(problem);
      assert.deepEqual(await numbers(path, { damaged }), range(0, 20));
      assert.deepEqual(await numbers(path, { damaged, tail: 5 }), range(15, 20));
      assert.deepEqual(problems, ["it is no file", "it is no file"]);
    });
  }

  it("follows across rotations without losing or doubling a line", async () => {
    const ended = new AbortController();
    const found: number[] = [];
    let next = 30;
    for await (const line of linesIn(path, { ...all, tail: 1, follow: true, ended: ended.signal })) {
      found.push(Number(line.slice(5)));
      if (found.length % 3 !== 0 && found.length !== 1) continue;
      if (next >= 60) {
        ended.abort();
        continue;
      }
      // Lines at the end of the old file, then a rotation, then lines in the new one.
      await appendFile(path, records(next, next + 2));
      await rename(path, `${path}.1`);
      await writeFile(path, records(next + 2, next + 3));
      next += 3;
    }
    assert.deepEqual(found, range(29, next));
  });

  it("follows across rotations and compressions that happened while it was busy elsewhere", async () => {
    await rename(`${path}.1`, `${path}.3`);
    const ended = new AbortController();
    const found: number[] = [];
    for await (const line of linesIn(path, { ...all, tail: 1, follow: true, ended: ended.signal })) {
      found.push(Number(line.slice(5)));
      if (found.length > 1) continue;
      // What follows has been rotated three times before the next line is asked for.
      await appendFile(path, records(30, 40));
      await rotateCompressed();
      for (const from of [40, 50]) {
        await writeFile(path, records(from, from + 10));
        await rotateCompressed();
      }
      await writeFile(path, records(60, 70));
      ended.abort();
    }
    assert.deepEqual(found, range(29, 70));
  });

  /** As the shim does it: `.1.gz` becomes `.2.gz` and so on, the live file is compressed under its own time. */
  async function rotateCompressed(): Promise<void> {
    for (let n = 8; n > 0; n--) await rename(`${path}.${n}.gz`, `${path}.${n + 1}.gz`).catch(() => undefined);
    const { atime, mtime } = await stat(path);
    await writeFile(`${path}.1.gz`, gzipSync(await readFile(path)));
    await utimes(`${path}.1.gz`, atime, mtime);
    await rm(path);
    // Files of the same moment and size could not be told apart; a busy kernel's clock for files stands still for some milliseconds.
    for (let now = mtime; now.getTime() <= mtime.getTime() + 1;) {
      await writeFile(`${dir}/clock`, "");
      now = (await stat(`${dir}/clock`)).mtime;
    }
  }

  it("never joins the halves of two lines when a log of one file was emptied and filled again", async () => {
    const single = join(dir, "single.log");
    const text = (n: number): string =>
      `${JSON.stringify({ log: `line ${n}${"x".repeat(90)}\n`, stream: "stdout", time: "2026-01-01T00:00:00.5Z" })}\n`;
    const fill = (from: number): Promise<void> =>
      writeFile(single, Array.from({ length: 5000 }, (_, i) => text(from + i)).join(""));
    const lengths = new Set<number>();
    await fill(10_000);
    const ended = new AbortController();
    let count = 0;
    for await (const log of linesIn(single, { ...all, follow: true, ended: ended.signal })) {
      lengths.add(log.length);
      assert.match(log, /^line \d{5,6}x{90}\n$/);
      // One digit more: the records begin elsewhere.
      if (++count === 100) await fill(100_000);
      if (count === 2000) ended.abort();
    }
    assert.deepEqual([...lengths].sort(), [101, 102]);
  });

  it("reads each line once while the log rotates under it", async () => {
    // Each file holds ten lines; rotations come as fast as the disk lets them.
    let next = 30;
    const stop = new AbortController();
    const rotating = (async () => {
      for (; !stop.signal.aborted; next += 10) {
        await rename(`${path}.1`, `${path}.2`);
        await rm(`${path}.2.gz`, { force: true });
        await rename(path, `${path}.1`);
        await writeFile(`${path}.new`, records(next, next + 10));
        await rename(`${path}.new`, path);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    try {
      for (let i = 0; i < 40; i++) {
        const found = await numbers(path);
        assert.deepEqual(found, range(found[0] ?? 0, (found[0] ?? 0) + found.length));
      }
    } finally {
      stop.abort();
      await rotating;
    }
  });

  it("follows a log that does not exist yet, and reads the rest when the container has ended", async () => {
    const late = join(dir, "late.log");
    const ended = new AbortController();
    const reading = numbers(late, { follow: true, ended: ended.signal });
    await writeFile(late, records(0, 5));
    ended.abort();
    assert.deepEqual(await reading, range(0, 5));
  });

  it("renders timestamps with nine digits and details sorted and escaped", () => {
    const line = {
      log: "x\n",
      stream: "stdout" as const,
      time: "2026-01-01T00:00:01.25Z",
      attrs: { b: "2 3", a: "1" },
    };
    assert.equal(renderLine(line, { timestamps: true, details: true }), "2026-01-01T00:00:01.250000000Z a=1,b=2+3 x\n");
    assert.equal(renderLine({ ...line, attrs: {} }, { timestamps: false, details: true }), " x\n");
  });
});
