import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Holds much, lets it go, and prints its resident memory, in MiB, until that falls. */
const program = `
  import { readFileSync } from "node:fs";
  import { releaseMemoryWhenIdle } from ${JSON.stringify(new URL("./idle-memory.ts", import.meta.url).href)};
  const resident = () => Number(/VmRSS:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) >> 10;
  // Heap of V8's and, in pieces too small for mappings of their own, of malloc's.
  let held = Array.from({ length: 4000 }, (_, at) => [Buffer.allocUnsafeSlow(20_000).fill(at), Array(1000).fill(at + 0.5)]);
  const full = resident();
  held = undefined;
  releaseMemoryWhenIdle();
  const started = Date.now();
  const timer = setInterval(() => {
    if (resident() > full - 60 && Date.now() - started < 20_000) return;
    clearInterval(timer);
    console.log(full - resident());
  }, 200);
`;

describe("giving memory back at rest", () => {
  it("takes back what work has left, from V8's heap and malloc's", async function () {
    this.timeout(30_000);
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program]);
    assert.ok(Number(stdout) > 60, `${stdout.trim()} MiB`);
  });
});
