import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { filesSetAside, setAside } from "./index.ts";

describe("a damaged file", () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "set-aside-"))));
  afterEach(() => rmSync(dir, { recursive: true }));

  it("is set aside with what belongs to it, and found again", () => {
    const path = join(dir, "a.db");
    for (const name of ["a.db", "a.db-wal", "b.db"]) writeFileSync(join(dir, name), name);
    assert.deepEqual(filesSetAside(path), []);
    const aside = setAside(path, ["-wal", "-shm"]);
    assert.match(aside, /\/a\.db\.damaged-\d+$/);
    assert.equal(readFileSync(aside, "utf8"), "a.db");
    assert.deepEqual(filesSetAside(path, ["-wal", "-shm"]), [aside]);
    assert.deepEqual(filesSetAside(path).toSorted(), [aside, `${aside}-wal`]);
    assert.equal(readdirSync(dir).length, 3);
    assert.throws(() => setAside(path), { code: "ENOENT" });
  });
});
