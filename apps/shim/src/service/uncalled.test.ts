import assert from "node:assert/strict";
import { shutdownUnlessCalled } from "./uncalled.ts";

describe("a server that nobody asks", () => {
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  it("ends after a while", async () => {
    const ended = new Promise<void>((resolve) => {
      shutdownUnlessCalled(5, resolve)({ state: () => undefined });
    });
    await Promise.race([ended, pause(5000).then(() => assert.fail("it goes on"))]);
  });

  it("goes on for good when any of its services was asked once", async () => {
    let ended = false;
    const known = shutdownUnlessCalled(30, () => (ended = true));
    const [tasks, sandboxes] = [known({ state: (id: string) => `${id} runs` }), known({ ping: () => "pong" })];
    assert.equal(sandboxes.ping(), "pong");
    // As long as a server that is not asked would have lived, told by a clock that is as late as that one.
    const other = new Promise<void>((resolve) => {
      shutdownUnlessCalled(60, resolve)({});
    });
    await Promise.race([other, pause(5000)]);
    assert.equal(ended, false);
    assert.equal(tasks.state("c"), "c runs");
  });
});
