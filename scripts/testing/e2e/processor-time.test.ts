import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { processorSeconds } from "./processor-time.ts";

describe("processor time of a host of tests", () => {
  it("counts this process and those that it has waited for", () => {
    const before = processorSeconds();
    spawnSync("sh", ["-c", "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done"]);
    assert.ok(processorSeconds() > before);
  });
});
