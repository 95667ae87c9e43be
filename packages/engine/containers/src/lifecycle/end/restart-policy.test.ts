import assert from "node:assert/strict";
import { nextDelay, wantsRestart } from "./restart-policy.ts";
import { explainStartError } from "../start/start-error.ts";

describe("restart policies", () => {
  const exit = { exitCode: 1, restartCount: 0, manuallyStopped: false };
  it("decide by exit code, count and who stopped it", () => {
    assert.equal(wantsRestart({ Name: "no", MaximumRetryCount: 0 }, exit), false);
    assert.equal(wantsRestart({ Name: "always", MaximumRetryCount: 0 }, { ...exit, exitCode: 0 }), true);
    assert.equal(
      wantsRestart({ Name: "unless-stopped", MaximumRetryCount: 0 }, { ...exit, manuallyStopped: true }),
      false,
    );
    assert.equal(wantsRestart({ Name: "on-failure", MaximumRetryCount: 2 }, exit), true);
    assert.equal(wantsRestart({ Name: "on-failure", MaximumRetryCount: 2 }, { ...exit, restartCount: 2 }), false);
    assert.equal(wantsRestart({ Name: "on-failure", MaximumRetryCount: 0 }, { ...exit, exitCode: 0 }), false);
  });

  it("wait longer after each short run, and start over after a good one", () => {
    assert.equal(nextDelay(0, 0), 100);
    assert.equal(nextDelay(100, 500), 200);
    assert.equal(nextDelay(50_000, 500), 60_000);
    assert.equal(nextDelay(60_000, 10_000), 100);
  });
});

describe("a failed start", () => {
  it("has the exit code that shells would give, and Docker's status", () => {
    const of = (text: string): [number, string] => {
      const { exitCode, error } = explainStartError(new Error(text));
      return [exitCode, error.kind];
    };
    assert.deepEqual(of('exec: "x": executable file not found in $PATH: unknown'), [127, "InvalidArgument"]);
    assert.deepEqual(of('exec: "/etc": permission denied'), [126, "InvalidArgument"]);
    assert.deepEqual(of("mount src=/a: not a directory"), [127, "InvalidArgument"]);
    assert.deepEqual(of("something else"), [128, "Unknown"]);
  });
});
