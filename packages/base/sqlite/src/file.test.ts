import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountAll, unmountAll } from "@longshore/sys";
import { SqliteFile } from "./index.ts";

describe("a SQLite file on a full disk", () => {
  let disk = "";
  let file: SqliteFile;
  const path = (): string => join(disk, "db");
  const count = (): unknown => file.sql.prepare("SELECT count(*) AS n FROM t").get()?.["n"];

  beforeEach(() => {
    disk = mkdtempSync(join(tmpdir(), "sqlite-"));
    mountAll([{ type: "tmpfs", source: "none", options: ["size=3m"] }], disk);
    file = SqliteFile.open(path());
    file.sql.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, value BLOB)");
    file.transaction(() =>
      file.sql.exec(
        "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 100) INSERT INTO t SELECT n, randomblob(1000) FROM c",
      ),
    );
  });
  afterEach(() => {
    file.close();
    unmountAll(disk);
    rmSync(disk, { recursive: true });
  });

  function fillDisk(): void {
    const fd = openSync(join(disk, "filler"), "a");
    assert.throws(
      () => {
        for (;;) writeSync(fd, Buffer.alloc(4096));
      },
      { code: "ENOSPC" },
    );
    closeSync(fd);
  }
  const grow = (): unknown =>
    file.transaction(() => file.sql.exec("INSERT INTO t (value) VALUES (randomblob(3000000))"));
  const drop = (id: number): unknown => file.essential(() => file.sql.prepare("DELETE FROM t WHERE id = ?").run(id));

  it("says so, undoes what did not fit, and lets things be removed", () => {
    fillDisk();
    assert.throws(grow, { code: "ENOSPC", message: `write ${path()}: no space left on device` });
    for (let id = 1; id <= 90; id++) drop(id);
    assert.equal(count(), 10);
  });

  it("opens, after a stop and after a kill", () => {
    file.close();
    fillDisk();
    file = SqliteFile.open(path());
    assert.equal(count(), 100);
    drop(1);
    file.close();
    fillDisk();
    file = SqliteFile.open(path());
    assert.equal(count(), 99);
    drop(2);
    rmSync(join(disk, "filler"));
    file.transaction(() => file.sql.exec("INSERT INTO t (value) VALUES (randomblob(100000))"));
    assert.equal(count(), 99);
  });

  it("undoes all that a transaction did when its work fails", () => {
    const failing = (): unknown =>
      file.transaction(() => {
        file.sql.exec("DELETE FROM t");
        throw new Error("no");
      });
    assert.throws(failing, /^Error: no$/);
    assert.equal(count(), 100);
  });
});
