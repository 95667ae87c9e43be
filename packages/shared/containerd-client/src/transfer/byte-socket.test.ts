import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Canceled } from "@longshore/errdefs";
import { connectForBytes, listenForBytes } from "./byte-socket.ts";
import { type AnyStream, type ByteChannel, receiveBytes, sendBytes } from "./byte-stream.ts";

/** A stream whose bytes go over `channel`; its messages end, or break, once `ended` settles. */
function streamOver(channel: Promise<ByteChannel>, ended: Promise<undefined>): AnyStream {
  return { channel, send: async () => assert.fail("no message is sent"), receive: () => ended, close: () => undefined };
}

describe("byte sockets", () => {
  let dir = "";
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "bytes-"));
  });
  afterEach(() => rm(dir, { recursive: true }));

  async function pair(): Promise<{ here: ByteChannel; there: Promise<ByteChannel>; close: () => void }> {
    const listener = await listenForBytes(dir);
    assert.ok(listener);
    const here = await connectForBytes(listener.path);
    return { here, there: listener.channel, close: () => listener.close() };
  }

  it("carry all bytes of a stream at the reader's pace, to one client, and leave no file", async () => {
    const { here, there, close } = await pair();
    const pieces = Array.from({ length: 300 }, (_, at) => Buffer.alloc(10_000, at));
    const sending = sendBytes(
      streamOver(Promise.resolve(here), Promise.resolve(undefined)),
      (async function* () {
        yield* pieces;
      })(),
    );
    const received = await Array.fromAsync(receiveBytes(streamOver(there, Promise.resolve(undefined))));
    await sending;
    assert.deepEqual(Buffer.concat(received), Buffer.concat(pieces));
    assert.deepEqual(await readdir(dir), []);
    close();
  });

  it("tell a sender that died from one that has sent all", async () => {
    const { here, there, close } = await pair();
    await here.write(Buffer.from("half"));
    here.close();
    const receiving = Array.fromAsync(
      receiveBytes({
        ...streamOver(there, Promise.resolve(undefined)),
        receive: () => Promise.reject(new Canceled("stream closed")),
      }),
    );
    await assert.rejects(receiving, { name: "Canceled" });
    close();
  });

  it("stop the sender when the reader leaves", async () => {
    const { here, there, close } = await pair();
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield Buffer.alloc(1 << 16);
    }
    const sending = assert.rejects(
      sendBytes(streamOver(Promise.resolve(here), Promise.resolve(undefined)), endless()),
      { name: "Canceled" },
    );
    for await (const _ of receiveBytes(streamOver(there, Promise.resolve(undefined)))) break;
    await sending;
    close();
  });

  it("are not waited for when the stream ends, nor made where the path is too long", async () => {
    const listener = await listenForBytes(dir);
    listener?.close();
    await assert.rejects(listener?.channel ?? Promise.resolve(), { name: "Canceled" });
    assert.equal(await listenForBytes(join(dir, "x".repeat(100))), undefined);
  });
});
