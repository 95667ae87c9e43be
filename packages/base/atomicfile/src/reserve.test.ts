import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountAll, unmountAll } from "@longshore/sys";
import { isDiskFull, Reserve } from "./index.ts";

describe("a reserve on a disk", () => {
  let disk = "";
  let reserve: Reserve;
  const size = (): number => statSync(join(disk, "reserve")).size;

  beforeEach(() => {
    disk = mkdtempSync(join(tmpdir(), "reserve-"));
    mountAll([{ type: "tmpfs", source: "none", options: ["size=1m"] }], disk);
    reserve = new Reserve(join(disk, "reserve"), 256 << 10);
    reserve.fill();
  });
  afterEach(() => {
    reserve.close();
    unmountAll(disk);
    rmSync(disk, { recursive: true });
  });

  function fillDisk(): void {
    const fd = openSync(join(disk, "filler"), "a");
    try {
      for (;;) writeSync(fd, Buffer.alloc(4096));
    } catch (error) {
      assert.ok(isDiskFull(error));
    } finally {
      closeSync(fd);
    }
  }

  it("is spent on what must be written, and only as much as that takes", async () => {
    fillDisk();
    await assert.rejects(writeFile(join(disk, "plain"), Buffer.alloc(8192)), isDiskFull);
    await reserve.spend(() => writeFile(join(disk, "needed"), Buffer.alloc(8192)));
    assert.equal(statSync(join(disk, "needed")).size, 8192);
    assert.ok(size() >= (256 << 10) - 8192, `${size()}`);
    fillDisk();
    await reserve.spend(() => writeFile(join(disk, "again"), Buffer.alloc(8192)));
  });

  it("comes to its end, and is there again once there is space", async () => {
    fillDisk();
    await assert.rejects(
      reserve.spend(() => writeFile(join(disk, "large"), Buffer.alloc(512 << 10))),
      isDiskFull,
    );
    rmSync(join(disk, "filler"));
    reserve.fill();
    assert.equal(size(), 256 << 10);
  });

  it("leaves other errors alone", async () => {
    await assert.rejects(
      reserve.spend(() => writeFile(join(disk, "no/where"), "")),
      { code: "ENOENT" },
    );
    assert.equal(size(), 256 << 10);
  });
});
