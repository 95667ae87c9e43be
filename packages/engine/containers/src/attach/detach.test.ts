import assert from "node:assert/strict";
import { DetachFilter, parseDetachKeys } from "./detach.ts";

async function feed(keys: readonly number[], chunks: string[]): Promise<{ passed: string; detached: boolean }> {
  let detached = false;
  const filter = new DetachFilter(keys, () => (detached = true));
  let passed = "";
  filter.on("data", (chunk: Buffer) => (passed += chunk.toString("latin1")));
  for (const chunk of chunks) filter.write(Buffer.from(chunk, "latin1"));
  filter.end();
  await new Promise((resolve) => filter.once("end", resolve));
  return { passed, detached };
}

describe("detach keys", () => {
  it("reads control keys, characters and the standard sequence", () => {
    assert.deepEqual(parseDetachKeys(""), [16, 17]);
    assert.deepEqual(parseDetachKeys("ctrl-a,d"), [1, 100]);
    assert.deepEqual(parseDetachKeys("DEL"), [127]);
    assert.deepEqual(parseDetachKeys("ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_"), [0, 27, 28, 29, 30, 31]);
    for (const bad of ["zz", "ctrl-A", "ctrl-", "a,,b", "é"])
      assert.throws(() => parseDetachKeys(bad), { message: `Invalid detach keys (${bad}) provided` });
  });

  it("finds the sequence across chunks and passes what stood before it", async () => {
    assert.deepEqual(await feed([16, 17], ["ab\x10", "\x11"]), { passed: "ab", detached: true });
  });

  it("passes a begun sequence on when something else follows, and begins no other with that", async () => {
    assert.deepEqual(await feed([16, 17], ["a\x10", "b"]), { passed: "a\x10b", detached: false });
    assert.deepEqual(await feed([16, 17], ["\x10\x10\x11"]), { passed: "\x10\x10\x11", detached: false });
    assert.deepEqual(await feed([16, 17], ["\x10", "\x10", "\x11\x10\x11"]), {
      passed: "\x10\x10\x11",
      detached: true,
    });
    assert.deepEqual(await feed([1, 2, 3], ["\x01", "\x02x", "\x01\x02"]), { passed: "\x01\x02x", detached: false });
  });

  it("lets everything through without keys", async () => {
    assert.deepEqual(await feed([], ["\x10\x11"]), { passed: "\x10\x11", detached: false });
  });
});
