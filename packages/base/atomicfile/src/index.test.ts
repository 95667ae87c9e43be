import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mount, umount } from "@longshore/sys";
import { stageFiles, writeFileAtomic, writeFilesAtomic, writeFileWhole } from "./index.ts";

describe("files that are whole or absent", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "longshore-atomicfile-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  for (const [name, write] of Object.entries({ writeFileAtomic, writeFileWhole }))
    it(`${name} replaces a file, with its mode, and leaves nothing beside it`, async () => {
      const path = join(dir, "file");
      writeFileSync(path, "a longer text that was there");
      await write(path, "neü");
      assert.equal(readFileSync(path, "utf8"), "neü");
      assert.equal(statSync(path).mode & 0o777, 0o600);
      await write(path, new Uint8Array(300_000).fill(7), 0o640);
      assert.ok(readFileSync(path).equals(Buffer.alloc(300_000, 7)));
      assert.equal(statSync(path).mode & 0o777, 0o640);
      assert.deepEqual(readdirSync(dir), ["file"]);
    });

  it("show what is staged when it is published, and not before", async () => {
    await writeFilesAtomic(dir, { a: "1", b: "2" });
    const staged = await stageFiles(dir, { a: "3", b: "4" });
    assert.deepEqual(
      ["a", "b"].map((name) => readFileSync(join(dir, name), "utf8")),
      ["1", "2"],
    );
    await staged.publish();
    assert.deepEqual(
      ["a", "b"].map((name) => readFileSync(join(dir, name), "utf8")),
      ["3", "4"],
    );
    assert.deepEqual(readdirSync(dir), ["a", "b"]);
  });

  it("are as they were when the disk is full, and the error names them", async () => {
    const disk = join(dir, "disk");
    mkdirSync(disk);
    mount("tmpfs", disk, "tmpfs", 0, "size=64k");
    try {
      const path = join(disk, "file");
      await writeFileAtomic(path, "old");
      const full = { code: "ENOSPC", path };
      await assert.rejects(writeFileAtomic(path, Buffer.alloc(100_000)), full);
      await assert.rejects(writeFileWhole(path, Buffer.alloc(100_000)), full);
      await assert.rejects(writeFilesAtomic(disk, { other: "new", file: Buffer.alloc(100_000) }), full);
      assert.equal(readFileSync(path, "utf8"), "old");
      assert.deepEqual(readdirSync(disk), ["file"]);
    } finally {
      umount(disk);
    }
  });

  it("are not written where something else is in the way", async () => {
    mkdirSync(join(dir, "folder"));
    await assert.rejects(writeFileAtomic(join(dir, "folder"), "x"), { code: "EISDIR", path: join(dir, "folder") });
    await assert.rejects(writeFilesAtomic(dir, { file: "x", folder: "y" }), { code: "EISDIR" });
    await assert.rejects(writeFileAtomic(join(dir, "nowhere/file"), "x"), { code: "ENOENT" });
    assert.deepEqual(readdirSync(dir), ["file", "folder"]);
  });
});
