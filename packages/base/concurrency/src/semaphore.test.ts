import assert from "node:assert/strict";
import { Exclusive } from "./exclusive.ts";
import { Semaphore } from "./semaphore.ts";

describe("semaphore", () => {
  it("lets so many in, in order", async () => {
    const semaphore = new Semaphore(2);
    const signal = new AbortController().signal;
    let inside = 0;
    let most = 0;
    const order: number[] = [];
    await Promise.all(
      [0, 1, 2, 3, 4].map((number) =>
        semaphore.run(signal, async () => {
          order.push(number);
          most = Math.max(most, ++inside);
          await new Promise(setImmediate);
          inside -= 1;
        }),
      ),
    );
    assert.equal(most, 2);
    assert.deepEqual(order, [0, 1, 2, 3, 4]);
  });
});

describe("exclusive work", () => {
  it("refuses others while it runs, and none after it, however it ended", async () => {
    const exclusive = new Exclusive("a prune operation");
    const { promise, reject } = Promise.withResolvers<void>();
    const first = exclusive.run(() => promise);
    await assert.rejects(
      exclusive.run(async () => undefined),
      {
        kind: "Conflict",
        message: "a prune operation is already running",
      },
    );
    reject(new Error("no"));
    await assert.rejects(first, /no/);
    assert.equal(await exclusive.run(async () => "next"), "next");
  });
});
