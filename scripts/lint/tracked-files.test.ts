import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findUnwanted } from "./tracked-files.ts";

describe("tracked files", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "tracked-"));
    execFileSync("git", ["init", "-q", root]);
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it("hold nothing large and nothing compiled", () => {
    writeFileSync(join(root, "large"), Buffer.alloc((1 << 20) + 1));
    writeFileSync(join(root, "program"), "\x7fELF\x02", "latin1");
    writeFileSync(join(root, "fine"), Buffer.alloc(1 << 20));
    writeFileSync(join(root, "untracked"), Buffer.alloc(2 << 20));
    execFileSync("git", ["-C", root, "add", "large", "program", "fine"]);
    assert.deepEqual(findUnwanted(root), [
      "large has 1048577 bytes; 1048576 are the most",
      "program is a compiled program",
    ]);
  });
});
