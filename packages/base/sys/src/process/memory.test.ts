import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { releaseFilePages } from "./memory.ts";

/** Resident KiB of this program's code. */
function residentCode(): number {
  const mapping = readFileSync("/proc/self/smaps", "utf8")
    .split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
    .find((text) => / r-xp .*\/node\n/.test(text));
  return Number(/^Rss: +(\d+)/m.exec(mapping!)![1]);
}

describe("releaseFilePages", () => {
  it("unmaps code, which comes back where it is needed", () => {
    const before = residentCode();
    releaseFilePages();
    const after = residentCode();
    assert.ok(after < before * 0.7, `${before} KiB, then ${after} KiB`);
    assert.equal(Buffer.from("still runs").toString("base64"), "c3RpbGwgcnVucw==");
  });
});
