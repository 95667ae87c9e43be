import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { type Socket, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { NotFound } from "@longshore/errdefs";
import { Content, type ReadContentResponse } from "@longshore/proto/containerd/services/content/v1/content";
import { Task } from "@longshore/proto/containerd/task/v3/task";
import { RequestSchema, ResponseSchema } from "@longshore/proto/ttrpc/ttrpc";
import { type Frame, FrameDecoder, encodeFrame, maxFrameData } from "./frame.ts";
import { type CallContext, Connection, Server, createClient, namespaceKey } from "./index.ts";

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe("ttrpc", () => {
  let dir: string;
  let server: Server;
  let connection: Connection;
  let seen: CallContext | undefined;
  const hang = new Set<AbortSignal>();

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "longshore-ttrpc-"));
    seen = undefined;
    server = new Server()
      .add(Task, {
        connect: (request, context) => {
          seen = context;
          return { shimPid: request.id.length };
        },
        state: (request) => {
          throw new NotFound(`process ${request.id}: not found`);
        },
        wait: (_, { signal }) => {
          hang.add(signal);
          return new Promise(() => {});
        },
        stats: () => ({ stats: { typeUrl: "big", value: new Uint8Array(maxFrameData) } }),
      })
      .add(Content, {
        async *read(request) {
          for (let i = 0n; i < request.size; i++) yield { offset: i, data: Buffer.alloc(1000, Number(i)) };
          if (request.offset > 0n) throw new NotFound("blob gone");
        },
        async *write(requests) {
          for await (const request of requests) yield { offset: request.offset + 1n };
        },
      });
    await server.listen({ path: join(dir, "s") });
    connection = await Connection.open(`unix://${dir}/s`);
  });
  afterEach(async () => {
    connection.close();
    await server.close();
    hang.clear();
    rmSync(dir, { recursive: true });
  });

  it("answers unary calls, many at once, with metadata", async () => {
    const task = createClient(Task, connection, { metadata: { [namespaceKey]: "moby" } });
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => task.connect({ id: "x".repeat(i) }, { metadata: { Trace: "t" } })),
    );
    assert.deepEqual(
      answers.map((a) => a.shimPid),
      Array.from({ length: 200 }, (_, i) => i),
    );
    assert.deepEqual(
      [...seen!.metadata],
      [
        [namespaceKey, ["moby"]],
        ["trace", ["t"]],
      ],
    );
  });

  it("carries errors by code, and refuses what is not served", async () => {
    const task = createClient(Task, connection);
    await assert.rejects(task.state({ id: "a" }), { name: "NotFound", message: "process a: not found" });
    await assert.rejects(task.pids({ id: "a" }), { name: "NotImplemented", message: "method Pids" });
    await assert.rejects(task.stats({ id: "a" }), { name: "ResourceExhausted" });
    await assert.rejects(task.connect({ id: "a".repeat(maxFrameData) }), { name: "ResourceExhausted" });
    assert.equal((await task.connect({ id: "still" })).shimPid, 5);
  });

  it("streams both ways, ends and fails in the middle", async () => {
    const content = createClient(Content, connection);
    const parts: ReadContentResponse[] = await collect(content.read({ digest: "d", size: 3n }));
    assert.deepEqual(
      parts.map((p) => [p.offset, p.data.length]),
      [
        [0n, 1000],
        [1n, 1000],
        [2n, 1000],
      ],
    );
    const got: bigint[] = [];
    await assert.rejects(
      async () => {
        for await (const part of content.read({ size: 2n, offset: 1n })) got.push(part.offset);
      },
      { name: "NotFound", message: "blob gone" },
    );
    assert.deepEqual(got, [0n, 1n]);
    const writes = await collect(
      content.write(
        (async function* () {
          yield { offset: 1n };
          yield { offset: 5n };
        })(),
      ),
    );
    assert.deepEqual(
      writes.map((w) => w.offset),
      [2n, 6n],
    );
  });

  it("keeps deadlines and cancellation on both ends", async () => {
    const task = createClient(Task, connection);
    await assert.rejects(task.wait({ id: "a" }, { timeoutMs: 20 }), { name: "DeadlineExceeded" });
    const abort = new AbortController();
    const call = task.wait({ id: "a" }, { signal: abort.signal });
    abort.abort();
    await assert.rejects(call, { name: "Canceled" });
    const [signal] = hang;
    if (!signal!.aborted) await new Promise((resolve) => signal!.addEventListener("abort", resolve));
  });

  it("fails pending calls when the connection is lost, and tells the server", async () => {
    const task = createClient(Task, connection);
    const call = task.wait({ id: "a" });
    await task.connect({ id: "a" });
    const [signal] = hang;
    connection.close();
    await assert.rejects(call, { name: "Unavailable", message: "ttrpc: closed" });
    await assert.rejects(task.connect({ id: "a" }), { name: "Unavailable" });
    if (!signal!.aborted) await new Promise((resolve) => signal!.addEventListener("abort", resolve));
    await assert.rejects(Connection.open(join(dir, "absent")), { name: "Unavailable" });
  });

  it("answers broken protocol on the stream that broke it", async () => {
    const socket: Socket = connect(join(dir, "s"));
    const waiting: ((frame: Frame) => void)[] = [];
    const decoder = new FrameDecoder((frame) => waiting.shift()!(frame));
    socket.on("data", (chunk: Buffer) => decoder.push(chunk));
    const ask = async (id: number, type: number, flags: number, data: Uint8Array): Promise<(number | string)[]> => {
      const answer = new Promise<Frame>((resolve) => waiting.push(resolve));
      socket.write(encodeFrame(id, type, flags, data));
      const frame = await answer;
      const { status } = fromBinary(ResponseSchema, frame.data);
      return [frame.streamId, frame.type, status?.code ?? 0];
    };
    const request = (service: string, method: string): Uint8Array =>
      toBinary(RequestSchema, create(RequestSchema, { service, method }));
    assert.deepEqual(await ask(2, 1, 0, request(Task.typeName, "Connect")), [2, 2, 3]);
    assert.deepEqual(await ask(5, 1, 0, request(Task.typeName, "Connect")), [5, 2, 0]);
    assert.deepEqual(await ask(5, 1, 0, request(Task.typeName, "Connect")), [5, 2, 3]);
    assert.deepEqual(await ask(3, 1, 0, request(Task.typeName, "Connect")), [3, 2, 3]);
    assert.deepEqual(await ask(7, 1, 0, request("no.Such", "Connect")), [7, 2, 12]);
    assert.deepEqual(await ask(9, 1, 0, Buffer.from([0xff])), [9, 2, 3]);
    assert.deepEqual(await ask(11, 3, 0, new Uint8Array()), [11, 2, 3]);
    assert.deepEqual(await ask(13, 1, 0, new Uint8Array(maxFrameData + 1)), [13, 2, 8]);
    socket.write(encodeFrame(15, 1, 2, request(Content.typeName, "Write")));
    assert.deepEqual(await ask(15, 3, 1, Buffer.from("x")), [15, 2, 3]);
    socket.write(encodeFrame(99, 9, 0, new Uint8Array()));
    assert.deepEqual(await ask(17, 1, 0, request(Task.typeName, "Connect")), [17, 2, 0]);
    socket.destroy();
  });
});
