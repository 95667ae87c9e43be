import assert from "node:assert/strict";
import { silent } from "@longshore/logger";
import { Scheduler } from "./scheduler.ts";

const nothing = { records: 0, content: 0, snapshots: 0, durationMs: 0 };

describe("garbage collection schedule", () => {
  it("collects when enough has changed, and at the start", async () => {
    let collected: () => void = () => undefined;
    const next = (): Promise<void> => new Promise((resolve) => (collected = resolve));
    const scheduler = new Scheduler(async () => {
      collected();
      return nothing;
    }, silent);
    // The schedule alone must not keep a process alive.
    const alive = setInterval(() => undefined, 1000);
    let ran = next();
    scheduler.start({ mutationThreshold: 3, startupDelayMs: 1 });
    await ran;
    ran = next();
    for (let count = 0; count < 3; count++) scheduler.mutated();
    await ran;
    ran = next();
    scheduler.deleted();
    await ran;
    await scheduler.close();
    clearInterval(alive);
  });

  it("collects only when asked to before it is started, or when no number of changes is enough", async () => {
    let runs = 0;
    const scheduler = new Scheduler(async () => {
      runs++;
      return nothing;
    }, silent);
    const changes = async (): Promise<number> => {
      for (let count = 0; count < 200; count++) scheduler.mutated();
      await new Promise((resolve) => setTimeout(resolve, 5));
      return runs;
    };
    assert.equal(await changes(), 0);
    await scheduler.run();
    assert.equal(runs, 1);
    scheduler.start({ mutationThreshold: 0, startupDelayMs: 1 << 30 });
    assert.equal(await changes(), 1);
    await scheduler.close();
  });

  it("begins a collection after the call, never two at once", async () => {
    const finish: (() => void)[] = [];
    const scheduler = new Scheduler(() => new Promise((resolve) => finish.push(() => resolve(nothing))), silent);
    const first = scheduler.run();
    const second = scheduler.run();
    assert.equal(finish.length, 1);
    finish[0]?.();
    await first;
    while (finish.length < 2) await new Promise(setImmediate);
    finish[1]?.();
    await second;
    await scheduler.close();
  });
});
