import assert from "node:assert/strict";
import { humanDuration } from "./duration.ts";
import { newState, statusOf } from "./record.ts";
import { statusText } from "./status-text.ts";

const hour = 3_600_000;

describe("status of a container", () => {
  it("tells durations as roughly as Docker", () => {
    const cases: [number, string][] = [
      [0, "Less than a second"],
      [1500, "1 second"],
      [59_999, "59 seconds"],
      [60_000, "About a minute"],
      [150_000, "2 minutes"],
      [hour, "About an hour"],
      [1.6 * hour, "2 hours"],
      [47 * hour, "47 hours"],
      [49 * hour, "2 days"],
      [15 * 24 * hour, "2 weeks"],
      [90 * 24 * hour, "3 months"],
      [800 * 24 * hour, "2 years"],
    ];
    for (const [ms, text] of cases) assert.equal(humanDuration(ms), text);
  });

  it("has a word and a text for each state", () => {
    const nowMs = Date.parse("2026-01-01T00:01:00Z");
    const started = { ...newState(), StartedAt: "2026-01-01T00:00:50Z" };
    const ended = { ...started, FinishedAt: "2026-01-01T00:00:58.5Z", ExitCode: 3 };
    const running = { ...started, Running: true };
    const shown = (state: typeof running): string[] => [statusOf(state), statusText(state, nowMs)];
    assert.deepEqual(shown(newState()), ["created", "Created"]);
    assert.deepEqual(shown(running), ["running", "Up 10 seconds"]);
    assert.deepEqual(shown({ ...running, Paused: true }), ["paused", "Up 10 seconds (Paused)"]);
    assert.deepEqual(shown({ ...running, Health: { Status: "starting", FailingStreak: 0, Log: [] } }), [
      "running",
      "Up 10 seconds (health: starting)",
    ]);
    assert.deepEqual(shown(ended), ["exited", "Exited (3) 1 second ago"]);
    assert.deepEqual(shown({ ...ended, Running: true, Restarting: true }), [
      "restarting",
      "Restarting (3) 1 second ago",
    ]);
    assert.deepEqual(shown({ ...ended, RemovalInProgress: true }), ["removing", "Removal In Progress"]);
    assert.deepEqual(shown({ ...ended, Dead: true }), ["dead", "Dead"]);
  });
});
