import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AuditFile } from "./audit-file.ts";
import { UserNames } from "./user-names.ts";

describe("the audit log's file", () => {
  let dir = "";
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "audit-"))));
  afterEach(() => rmSync(dir, { recursive: true }));

  it("is rotated by renaming it, and is root's alone", () => {
    const path = join(dir, "log");
    const file = new AuditFile(path);
    file.append("1");
    renameSync(path, join(dir, "old"));
    file.append("2");
    file.append("3");
    assert.deepEqual(
      [readFileSync(join(dir, "old"), "utf8"), readFileSync(path, "utf8"), statSync(path).mode & 0o777],
      ["1\n", "2\n3\n", 0o600],
    );
    file.close();
  });

  it("goes on in the old one while no new one can be made", () => {
    const path = join(dir, "log");
    const file = new AuditFile(path);
    file.append("1");
    renameSync(path, join(dir, "old"));
    mkdirSync(path);
    file.append("2");
    assert.equal(readFileSync(join(dir, "old"), "utf8"), "1\n2\n");
    file.close();
  });

  it("tells of a full disk", () => {
    const file = new AuditFile("/dev/full");
    assert.throws(() => file.append("1"), { code: "ENOSPC" });
    file.close();
  });

  it("names of users stay known while they cannot be read", () => {
    const path = join(dir, "passwd");
    const names = new UserNames(path);
    assert.equal(names.of(7), undefined);
    writeFileSync(path, "root:x:0:0::/:/bin/sh\na:x:7:7::/:\nb:x:7:7::/:\n\nbroken\n");
    assert.deepEqual([names.of(7), names.of(0), names.of(8)], ["a", "root", undefined]);
    rmSync(path);
    assert.equal(names.of(7), "a");
    writeFileSync(path, "other:x:7:7::/:\n");
    assert.equal(names.of(7), "other");
  });
});
