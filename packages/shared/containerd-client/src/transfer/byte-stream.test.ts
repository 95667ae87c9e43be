import assert from "node:assert/strict";
import type { Any } from "@bufbuild/protobuf/wkt";
import { packAny, unpackAny } from "@longshore/proto";
import { DataSchema, WindowUpdateSchema } from "@longshore/proto/containerd/types/transfer/transfer";
import { type AnyStream, receiveBytes, sendBytes } from "./byte-stream.ts";

class Scripted implements AnyStream {
  readonly sent: Any[] = [];
  readonly #incoming: Any[];
  constructor(incoming: Any[]) {
    this.#incoming = incoming;
  }
  async send(message: Any): Promise<void> {
    this.sent.push(message);
  }
  async receive(): Promise<Any | undefined> {
    return this.#incoming.shift();
  }
  close(): void {}
}

describe("byte streams", () => {
  it("grant a window and give what comes", async () => {
    const stream = new Scripted([1, 2].map((byte) => packAny(DataSchema, { data: Buffer.alloc(600_000, byte) })));
    let size = 0;
    for await (const chunk of receiveBytes(stream)) size += chunk.length;
    assert.equal(size, 1_200_000);
    const granted = stream.sent.map((message) => unpackAny(message, WindowUpdateSchema)?.update ?? 0);
    assert.equal(
      granted.reduce((a, b) => a + b),
      (1 << 20) + 1_200_000,
    );
  });

  it("send no more than was granted", async () => {
    const content = Buffer.alloc(100_000, 7);
    const stream = new Scripted([
      packAny(WindowUpdateSchema, { update: 40_000 }),
      packAny(WindowUpdateSchema, { update: 60_000 }),
    ]);
    const all = async function* (): AsyncGenerator<Uint8Array> {
      yield content;
    };
    await sendBytes(stream, all());
    const sizes = stream.sent.map((message) => unpackAny(message, DataSchema)?.data.length ?? 0);
    assert.deepEqual(sizes, [32_768, 7_232, 32_768, 27_232]);
    await assert.rejects(sendBytes(new Scripted([]), all()), /ended while there was still something to send/);
    await assert.rejects(receiveBytes(new Scripted([packAny(WindowUpdateSchema, {})])).next(), {
      name: "InvalidArgument",
    });
  });
});
