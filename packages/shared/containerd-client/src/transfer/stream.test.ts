import assert from "node:assert/strict";
import { silent } from "@longshore/logger";
import { DataSchema } from "@longshore/proto/containerd/types/transfer/transfer";
import { ImageExportStreamSchema } from "@longshore/proto/containerd/types/transfer/transfer";
import { packAny, unpackAny } from "@longshore/proto";
import { FakeContainerd } from "../testing/fake.ts";
import { sendBytes } from "./byte-stream.ts";
import { exportImages } from "./export.ts";
import { ClientStream } from "./stream.ts";

const pieces = async function* (...sizes: number[]): AsyncGenerator<Uint8Array> {
  for (const size of sizes) yield Buffer.alloc(size);
};

describe("streams of a containerd that leaves them open", () => {
  const contextOf = (fake: FakeContainerd) => ({ containerd: fake.client(), log: silent, owner: "test" });
  let signal: AbortSignal;
  beforeEach(() => {
    signal = AbortSignal.timeout(5000);
  });

  it("end while a message is waited for", async () => {
    const stream = await ClientStream.open(contextOf(new FakeContainerd()), "auth", signal);
    const waiting = stream.receive();
    await Promise.all([assert.rejects(waiting, { name: "Canceled" }), stream.end()]);
  });

  it("give a whole archive, which ends with its end mark and the transfer", async () => {
    const fake = new FakeContainerd();
    fake.onTransfer = async ({ destination }, find) => {
      const { stream = "" } = unpackAny(destination, ImageExportStreamSchema) ?? {};
      await sendBytes(find(stream), pieces(512, 511, 1));
    };
    const received = await Array.fromAsync(exportImages(contextOf(fake), { names: ["a"], signal }));
    assert.equal(Buffer.concat(received).length, 1024);
    assert.equal(fake.store().leases.size, 0);
  });

  it("give what came before an export that fails, then its error", async () => {
    const fake = new FakeContainerd();
    fake.onTransfer = async ({ destination }, find) => {
      const { stream = "" } = unpackAny(destination, ImageExportStreamSchema) ?? {};
      await find(stream).receive();
      await find(stream).send(packAny(DataSchema, { data: Buffer.alloc(512) }));
      throw new Error("the disk is gone");
    };
    let size = 0;
    await assert.rejects(
      async () => {
        for await (const piece of exportImages(contextOf(fake), { names: ["a"], signal })) size += piece.length;
      },
      { message: "the disk is gone" },
    );
    assert.equal(size, 512);
  });
});
