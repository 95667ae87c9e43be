import assert from "node:assert/strict";
import {
  closeSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { once } from "node:events";
import { type Server, type Socket, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Relay, type RelayEvents, mount, pipe, sendFd, unixListen, unmountAll } from "../index.ts";

interface LogRecord {
  log: string;
  stream: string;
  time: string;
  attrs?: Record<string, string>;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("relay", () => {
  let dir: string;
  let relay: Relay;
  let id = 0;
  const events: RelayEvents = {};
  const heard = <K extends keyof RelayEvents>(name: K): Promise<Parameters<NonNullable<RelayEvents[K]>>> =>
    new Promise((resolve) => {
      events[name] = ((...args: Parameters<NonNullable<RelayEvents[K]>>) => resolve(args)) as never;
    });

  before(() => {
    const forward = new Proxy({} as RelayEvents, { get: (_, name) => events[name as keyof RelayEvents] });
    relay = new Relay(forward, { reap: false });
  });
  after(() => relay.stop());
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "longshore-relay-"));
    id++;
  });
  afterEach(() => {
    relay.release(id);
    rmSync(dir, { recursive: true, force: true });
  });

  const log = (): string => join(dir, "x.log");
  const records = (path = log()): LogRecord[] =>
    readFileSync(path, "utf8")
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as LogRecord);

  /** Opens a channel whose process is this test; returns the ends of its stdout and stderr. */
  function start(
    options: { maxSize?: number; maxFiles?: number; compress?: boolean; attrs?: string; input?: number } = {},
  ): [number, number] {
    const [out, err] = [pipe({ size: 1 << 20 }), pipe()];
    const { input, ...rotation } = options;
    relay.open(id, {
      terminal: false,
      output: [out[0], err[0]],
      log: { path: log(), ...rotation },
      ...(input === undefined ? {} : { input }),
    });
    return [out[1], err[1]];
  }

  async function end(...fds: number[]): Promise<void> {
    for (const fd of fds) closeSync(fd);
    const drained = heard("drained");
    relay.exited(id);
    await drained;
  }

  async function attach(
    flags: {
      stdin: boolean;
      stdout: boolean;
      stderr: boolean;
      closesInput: boolean;
      handsOver?: boolean;
      detachKeys?: Uint8Array;
    } = {
      stdin: true,
      stdout: true,
      stderr: true,
      closesInput: true,
    },
  ): Promise<{ socket: Socket; received: () => Buffer; ended: Promise<void> }> {
    const path = join(dir, "attach.sock");
    if (!existsSync(path)) relay.listen(id, unixListen(dir, "attach.sock"), path);
    const connected = heard("connected");
    const socket = connect(path);
    socket.write('{"process":""}\n');
    const [{ client, listener, greeting }] = await connected;
    assert.deepEqual([listener, greeting], [id, '{"process":""}']);
    relay.accept(client, id, flags, "{}\n");
    const parts: Buffer[] = [];
    const ended = new Promise<void>((resolve) => socket.on("close", () => resolve()));
    const replied = new Promise<void>((resolve) => socket.once("data", () => resolve()));
    socket.on("data", (part: Buffer) => parts.push(part));
    await replied;
    return { socket, received: () => Buffer.concat(parts).subarray(3), ended };
  }

  it("writes records as Docker's encoder does", async () => {
    const [out, err] = start({ attrs: '{"tag":"a<b"}' });
    writeSync(out, Buffer.from('a\tb\rc"\\<>&\x01\x7f\u2028\u00e9\u{1f600}\n', "utf8"));
    writeSync(out, Buffer.from([0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0xe2, 0x82, 10]));
    writeSync(err, "\npart");
    await end(out, err);
    const text = readFileSync(log(), "utf8");
    assert.match(
      text,
      /^\{"log":"a\\u0009b\\rc\\"\\\\\\u003c\\u003e\\u0026\\u0001\x7f\\u2028é😀\\n","stream":"stdout","attrs":\{"tag":"a<b"\},"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z"\}\n/,
    );
    const byStream = (stream: string): string[] =>
      records()
        .filter((r) => r.stream === stream)
        .map((r) => r.log);
    assert.equal(byStream("stdout")[1], "\ufffd\ufffd(\ufffd\ufffd\ufffd\ufffd\ufffd\n");
    assert.deepEqual(byStream("stderr"), ["\n", "part"]);
  });

  it("splits long lines at 16 KiB, between characters, under one time", async () => {
    const [out, err] = start();
    const line = "x".repeat(16383) + "é".repeat(12000);
    writeSync(out, line);
    writeSync(out, " end\nnext\n");
    await end(out, err);
    const all = records();
    assert.equal(
      all
        .slice(0, -1)
        .map((r) => r.log)
        .join(""),
      `${line} end\n`,
    );
    assert.deepEqual(
      all.map((r) => Buffer.byteLength(r.log)),
      [16383, 16384, 7616 + 5, 5],
    );
    assert.equal(new Set(all.slice(0, 3).map((r) => r.time)).size, 1);
  });

  it("rotates by size, keeps so many files, and waits for compression", async () => {
    const rotated: string[] = [];
    events.rotated = (channel, path) => {
      rotated.push(path);
      relay.compressed(channel);
    };
    const [out, err] = start({ maxSize: 2000, maxFiles: 3, compress: true });
    for (let i = 0; i < 100; i++) {
      writeSync(out, `${i}\n`);
      if (i % 25 === 24) await new Promise((resolve) => setImmediate(resolve));
    }
    await end(out, err);
    const numbers = [`${log()}.2`, `${log()}.1`, log()]
      .flatMap((path) => (existsSync(path) ? records(path) : []))
      .map((r) => Number(r.log));
    assert.ok(rotated.length >= 1 && rotated[0] === log());
    assert.deepEqual(
      numbers,
      Array.from({ length: numbers.length }, (_, i) => 100 - numbers.length + i),
    );
    assert.equal(existsSync(`${log()}.3`), false);
  });

  it("goes on without a log on a full disk and never leaves half a record", async () => {
    const [out, err] = [pipe(), pipe()];
    const failed = heard("logError");
    relay.open(id, { terminal: false, output: [out[0], err[0]], log: { path: "/dev/full" } });
    writeSync(out[1], "lost\n");
    assert.deepEqual(await failed, [{ channel: id, errno: 28, lost: 1, path: "/dev/full" }]);
    await end(out[1], err[1]);
    assert.throws(() => relay.open(++id, { terminal: false, log: { path: join(dir, "absent", "x.log") } }), {
      code: "ENOENT",
    });
  });

  it("keeps whole records on a disk that fills up and goes on when there is room", async () => {
    mount("tmpfs", dir, "tmpfs", 0, "size=64k");
    try {
      const failed = heard("logError");
      const [out, err] = start();
      writeSync(out, "0123456789\n".repeat(5000));
      const [{ errno, lost }] = await failed;
      assert.equal(errno, 28);
      const kept = records();
      assert.equal(kept.length + lost, 5000);
      rmSync(log());
      await end(out, err);
    } finally {
      unmountAll(dir);
    }
  });

  it("serves attached clients with frames and takes their input", async () => {
    const [stdinRead, stdinWrite] = pipe();
    const [out, err] = start({ input: stdinWrite });
    const { socket, received, ended } = await attach();
    writeSync(out, "one\n");
    writeSync(err, "two\n");
    socket.end("input");
    const input: Buffer[] = [];
    for await (const part of createReadStream("", { fd: stdinRead })) input.push(part as Buffer);
    assert.equal(Buffer.concat(input).toString(), "input");
    await end(out, err);
    await ended;
    const frames = new Set([received().subarray(0, 12).toString("latin1"), received().subarray(12).toString("latin1")]);
    assert.deepEqual(frames, new Set(["\x01\0\0\0\0\0\0\x04one\n", "\x02\0\0\0\0\0\0\x04two\n"]));
  });

  describe("with a connection that is handed over", () => {
    let server: Server;
    let client: Socket;
    let accepted: Socket;
    const fdOf = (socket: Socket): number => (Reflect.get(socket, "_handle") as { fd: number }).fd;

    beforeEach(async () => {
      server = createServer({ pauseOnConnect: true, allowHalfOpen: true }).listen(join(dir, "client.sock"));
      const arrived = new Promise<Socket>((resolve) => server.once("connection", resolve));
      client = connect({ path: join(dir, "client.sock"), allowHalfOpen: true });
      accepted = await arrived;
    });
    afterEach(() => {
      client.destroy();
      accepted.destroy();
      server.close();
    });

    /** Without a log: the only reader, for which the kernel moves the bytes. */
    function startUnlogged(): { stdin: number; out: number; err: number } {
      const [stdin, out, err] = [pipe(), pipe({ size: 1 << 20 }), pipe()];
      relay.open(id, { terminal: false, output: [out[0], err[0]], input: stdin[1] });
      return { stdin: stdin[0], out: out[1], err: err[1] };
    }
    const handingOver = { stdin: true, stdout: true, stderr: true, closesInput: true, handsOver: true };

    it("serves the connection itself, with whole frames however slowly it reads", async () => {
      const { stdin, out, err } = startUnlogged();
      const { socket: control, ended } = await attach(handingOver);
      writeSync(out, "held\n");
      sendFd(fdOf(control), fdOf(accepted));
      const sent = Buffer.alloc(8 << 20, Buffer.from("0123456789abcde\n"));
      const output = createWriteStream("", { fd: out });
      output.end(sent);
      client.end(sent.subarray(0, 1 << 20));
      const input: Buffer[] = [];
      for await (const part of createReadStream("", { fd: stdin })) input.push(part as Buffer);
      assert.ok(Buffer.concat(input).equals(sent.subarray(0, 1 << 20)));
      const received: Buffer[] = [];
      client.on("data", (part: Buffer) => received.push(part));
      await new Promise((resolve) => output.once("close", resolve));
      await end(err);
      await ended;
      accepted.destroy();
      await new Promise((resolve) => client.once("close", resolve));
      const frames = Buffer.concat(received);
      const texts: Buffer[] = [];
      for (let at = 0; at < frames.length; at += 8 + frames.readUInt32BE(at + 4)) {
        assert.equal(frames[at], 1);
        texts.push(frames.subarray(at + 8, at + 8 + frames.readUInt32BE(at + 4)));
      }
      assert.ok(Buffer.concat(texts).equals(Buffer.concat([Buffer.from("held\n"), sent])));
    });

    it("goes on serving it when who handed it over is gone, until itself goes", async () => {
      const { stdin, out, err } = startUnlogged();
      const { socket: control } = await attach(handingOver);
      sendFd(fdOf(control), fdOf(accepted));
      accepted.destroy();
      control.destroy();
      client.write("in");
      const input = createReadStream("", { fd: stdin });
      assert.equal(String((await once(input, "data"))[0]), "in");
      writeSync(out, "out");
      assert.equal(String((await once(client, "data"))[0]).slice(8), "out");
      client.destroy();
      await once(input, "end");
      await end(out, err);
    });

    describe("and detach keys", () => {
      const keys = Uint8Array.of(1, 2, 3);

      for (const [what, chunks, passed, detached] of [
        ["in one piece", ["a\x01\x02\x03b"], "a", true],
        ["in pieces", ["a\x01", "\x02", "\x03b"], "a", true],
        ["that are not finished are passed on", ["a\x01", "\x02b", "\x01\x02b"], "a\x01\x02b\x01\x02b", false],
        ["do not begin in what breaks others", ["\x01\x01\x02\x03"], "\x01\x01\x02\x03", false],
        ["in much input", ["x".repeat(100_000), "\x01\x02\x03"], "x".repeat(100_000), true],
      ] as const)
        it(`${what}: ${detached ? "ends the attachment and tells it, and leaves the input open" : "nothing ends"}`, async () => {
          const { stdin, out, err } = startUnlogged();
          const { socket: control, received, ended } = await attach({ ...handingOver, detachKeys: keys });
          sendFd(fdOf(control), fdOf(accepted));
          let input = "";
          const stream = createReadStream("", { fd: stdin }).on("data", (part) => (input += part.toString("latin1")));
          const clientEnded = once(client.resume(), "end");
          for (const chunk of chunks) {
            client.write(Buffer.from(chunk, "latin1"));
            await until(() => input.length >= passed.length || input.length > 0);
          }
          await until(() => input.length >= passed.length);
          if (detached) {
            await ended;
            assert.equal(received().toString(), '{"detached":true}\n');
            accepted.destroy();
            await clientEnded;
          }
          assert.equal(input, passed);
          assert.ok(!stream.readableEnded);
          const inputEnded = once(stream, "end");
          relay.closeInput(id);
          await inputEnded;
          await end(out, err);
        });
    });

    it("frees the process when nothing is ever handed over", async () => {
      const { stdin, out, err } = startUnlogged();
      const { socket: control } = await attach(handingOver);
      const output = createWriteStream("", { fd: out });
      output.end(Buffer.alloc(4 << 20));
      control.destroy();
      await new Promise((resolve) => output.once("close", resolve));
      await end(err);
      closeSync(stdin);
    });
  });

  it("is slowed by a slow client, freed by one that vanishes, and loses nothing in the log", async () => {
    const [out, err] = start();
    const { socket } = await attach();
    socket.pause();
    const writer = createWriteStream("", { fd: out });
    const text = "0123456789".repeat(9) + "\n";
    let finished = false;
    const done = new Promise<void>((resolve) => writer.end(Buffer.from(text.repeat(60_000)), () => resolve())).then(
      () => (finished = true),
    );
    while (records().length < 1000) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(finished, false);
    socket.destroy();
    await done;
    await end(err);
    assert.equal(records().length, 60_000);
  });

  it("does not wait for a grandchild that holds the output open", async () => {
    const [out, err] = start();
    writeSync(out, "said\n");
    await end(err);
    assert.deepEqual(
      records().map((r) => r.log),
      ["said\n"],
    );
    closeSync(out);
  });
});
