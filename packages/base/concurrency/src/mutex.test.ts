import assert from "node:assert/strict";
import { KeyedMutex, Mutex } from "./index.ts";

describe("mutexes", () => {
  const gate = () => Promise.withResolvers<void>();

  it("are taken one after the other, in the order of asking, also behind one that fails", async () => {
    for (const take of [
      (work: () => Promise<unknown>) => keyed.run("a", work),
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
    const held = keyed.run("a", () => first.promise);
    assert.equal(await keyed.run("b", async () => "b"), "b");
    first.resolve();
    await held;
  });

  const keyed = new KeyedMutex();
  const mutex = new Mutex();
});
