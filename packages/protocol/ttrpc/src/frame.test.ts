import assert from "node:assert/strict";
import { type Frame, FrameDecoder, encodeFrame, maxFrameData } from "./frame.ts";

describe("ttrpc frames", () => {
  it("come out whole however the bytes arrive", () => {
    const bytes = Buffer.concat([
      encodeFrame(1, 1, 2, Buffer.from("hello")),
      encodeFrame(0x01020304, 3, 5, new Uint8Array()),
      encodeFrame(3, 2, 0, Buffer.from("x")),
    ]);
    assert.deepEqual([...bytes.subarray(0, 10)], [0, 0, 0, 5, 0, 0, 0, 1, 1, 2]);
    for (const size of [1, 3, 7, 11, bytes.length]) {
      const frames: Frame[] = [];
      const decoder = new FrameDecoder((frame) => frames.push(frame));
      for (let i = 0; i < bytes.length; i += size) decoder.push(bytes.subarray(i, i + size));
      assert.deepEqual(
        frames.map((f) => [f.streamId, f.type, f.flags, Buffer.from(f.data).toString()]),
        [
          [1, 1, 2, "hello"],
          [0x01020304, 3, 5, ""],
          [3, 2, 0, "x"],
        ],
      );
    }
  });

  it("skips what is too long and goes on behind it", () => {
    const header = Buffer.from(encodeFrame(7, 1, 0, new Uint8Array()));
    header.writeUInt32BE(maxFrameData + 10, 0);
    const frames: Frame[] = [];
    const decoder = new FrameDecoder((frame) => frames.push(frame));
    decoder.push(Buffer.concat([header, Buffer.alloc(100)]));
    decoder.push(Buffer.alloc(maxFrameData - 90));
    decoder.push(Buffer.from(encodeFrame(9, 2, 0, Buffer.from("ok"))));
    assert.deepEqual(
      frames.map((f) => [f.streamId, f.oversize, f.data.length]),
      [
        [7, true, 0],
        [9, false, 2],
      ],
    );
  });
});
