import assert from "node:assert/strict";
import type { Health } from "@longshore/docker-api";
import { HealthMonitor, Interrupted, judge } from "./monitor.ts";
import { healthSettings } from "./settings.ts";

const starting: Health = { Status: "starting", FailingStreak: 0, Log: [] };
const result = (ExitCode: number): NonNullable<Health["Log"]>[number] => ({ Start: "", End: "", ExitCode, Output: "" });

describe("health", () => {
  const settings = healthSettings({ Test: ["CMD-SHELL", "test -e /ok"], Retries: 2, StartPeriod: 1e9 }, [
    "/bin/sh",
    "-c",
  ]);
  assert.ok(settings);

  it("reads Docker's forms and defaults", () => {
    assert.deepEqual(settings.command, ["/bin/sh", "-c", "test -e /ok"]);
    assert.equal(settings.intervalMs, 30_000);
    assert.equal(settings.startPeriodMs, 1000);
    assert.deepEqual(healthSettings({ Test: ["CMD", "a", "b"] }, [])?.command, ["a", "b"]);
    // As Docker: the shell's own arguments follow, and what is of no known kind is no check.
    assert.deepEqual(healthSettings({ Test: ["CMD-SHELL", "a", "b"] }, ["sh", "-c"])?.command, ["sh", "-c", "a", "b"]);
    for (const Test of [[], ["NONE"], ["NONE", "x"], ["none"], ["cmd", "x"], ["test", "-e", "/ok"], [""], ["CMD"]])
      assert.equal(healthSettings({ Test }, ["sh", "-c"]), undefined, JSON.stringify(Test));
    assert.equal(healthSettings(undefined, []), undefined);
  });

  it("counts failures after the start period only, and forgets them after a success", () => {
    assert.equal(judge(starting, result(1), settings, 500).FailingStreak, 0);
    const once = judge(starting, result(1), settings, 2000);
    assert.deepEqual([once.Status, once.FailingStreak], ["starting", 1]);
    const twice = judge(once, result(1), settings, 2000);
    assert.deepEqual([twice.Status, twice.FailingStreak], ["unhealthy", 2]);
    assert.deepEqual(
      [judge(twice, result(0), settings, 2000).Status, judge(twice, result(0), settings, 2000).FailingStreak],
      ["healthy", 0],
    );
  });

  it("keeps the last five results", () => {
    let health = starting;
    for (let n = 0; n < 8; n++) health = judge(health, result(n), settings, 5000);
    assert.deepEqual(
      health.Log?.map((entry) => entry.ExitCode),
      [3, 4, 5, 6, 7],
    );
  });

  it("probes until it is stopped and reports a probe that takes too long", async () => {
    const { promise, resolve } = Promise.withResolvers<Health>();
    const monitor = new HealthMonitor(
      { ...settings, intervalMs: 1, timeoutMs: 5, startPeriodMs: 0, retries: 1 },
      {
        probe: (_command, signal) =>
          new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Interrupted("so far")))),
        onResult: (health) => resolve(health),
      },
      Date.now(),
      starting,
    );
    const health = await promise;
    monitor.stop();
    assert.equal(health.Status, "unhealthy");
    assert.equal(health.Log?.[0]?.Output, "Health check exceeded timeout (5ms): so far");
  });
});
