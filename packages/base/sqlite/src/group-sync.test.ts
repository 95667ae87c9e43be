import assert from "node:assert/strict";
import { closeSync, fstatSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GroupSync } from "./group-sync.ts";

describe("GroupSync", () => {
  let dir = "";
  let fd: number;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "sync-"));
    fd = openSync(join(dir, "log"), "w+");
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("lets all who wait at one time share a sync, and who comes later wait for the next", async () => {
    const log = new GroupSync(fd);
    const done: string[] = [];
    log.written();
    const first = log.synced().then(() => done.push("first"));
    log.written();
    const others = ["a", "b", "c"].map((name) => log.synced().then(() => done.push(name)));
    await first;
    assert.deepEqual(done, ["first"]);
    await Promise.all(others);
    assert.deepEqual(done, ["first", "a", "b", "c"]);
    log.close();
  });

  it("waits for nothing when nothing was written, and closes the file when it may", async () => {
    const log = new GroupSync(fd);
    await log.synced();
    log.written();
    const waiting = log.synced();
    log.close();
    await waiting;
    await new Promise(setImmediate);
    assert.throws(() => fstatSync(fd), { code: "EBADF" });
  });

  it("tells who waits that a sync has failed", async () => {
    closeSync(fd);
    const log = new GroupSync(fd);
    log.written();
    await assert.rejects(log.synced(), { code: "EBADF" });
    fd = openSync(join(dir, "log"), "r");
    log.close();
  });
});
