import assert from "node:assert/strict";
import { Mutex, Turns } from "./index.ts";

describe("turns", () => {
  const gate = () => Promise.withResolvers<void>();

  it("are taken one after the other, in the order of asking, also behind one that fails", async () => {
    for (const take of [
      (work: () => Promise<unknown>) => turns.take("a", work),
      (work: () => Promise<unknown>) => mutex.run(work),
    ]) {
      const first = gate();
      const seen: string[] = [];
      const failing = take(async () => {
        await first.promise;
        seen.push("first");
        throw new Error("no");
      });
      const second = take(async () => seen.push("second"));
      const third = take(async () => seen.push("third"));
      first.resolve();
      await assert.rejects(failing, /no/);
      await Promise.all([second, third]);
      assert.deepEqual(seen, ["first", "second", "third"]);
    }
  });

  it("on one thing do not hold up those on another", async () => {
    const first = gate();
    const held = turns.take("a", () => first.promise);
    assert.equal(await turns.take("b", async () => "b"), "b");
    first.resolve();
    await held;
  });

  const turns = new Turns();
  const mutex = new Mutex();
});
