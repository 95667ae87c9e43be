import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lastError } from "./runc-log.ts";

describe("runtime log", () => {
  it("gives the last error, whatever surrounds it", () => {
    const dir = mkdtempSync(join(tmpdir(), "longshore-shim-"));
    const path = join(dir, "log.json");
    assert.equal(lastError(path), undefined);
    writeFileSync(
      path,
      '{"level":"error","msg":"first"}\n{"level":"error","msg":"second"}\n{"level":"warning","msg":"noise"}\n{"level":"err',
    );
    assert.equal(lastError(path), "second");
    writeFileSync(path, "");
    assert.equal(lastError(path), undefined);
    rmSync(dir, { recursive: true });
  });
});
