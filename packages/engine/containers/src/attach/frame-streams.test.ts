import assert from "node:assert/strict";
import { buffer } from "node:stream/consumers";
import { Readable, type Transform } from "node:stream";
import { Framer, Unframer } from "./frame-streams.ts";
import { frame } from "./stdcopy.ts";

describe("frames that a client expects otherwise than the process gives them", () => {
  const through = (pieces: Buffer[], transform: Transform): Promise<Buffer> =>
    buffer(Readable.from(pieces).pipe(transform));

  it("are put around what a terminal says", async () => {
    assert.deepEqual(
      await through([Buffer.from("a\r\n"), Buffer.from("b")], new Framer()),
      Buffer.concat([frame(1, Buffer.from("a\r\n")), frame(1, Buffer.from("b"))]),
    );
  });

  it("are taken off, and stderr with them", async () => {
    const bytes = Buffer.concat([
      frame(1, Buffer.from("out")),
      frame(2, Buffer.from("err")),
      frame(1, Buffer.from(" more")),
    ]);
    const pieces = Array.from(bytes, (byte) => Buffer.of(byte));
    assert.equal((await through(pieces, new Unframer())).toString(), "out more");
  });
});
