import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { mountAll, unmountAll } from "@longshore/sys";
import { OverlayfsSnapshotter, type SnapshotInfo } from "./index.ts";

async function all(snapshotter: OverlayfsSnapshotter, filters?: string[]): Promise<SnapshotInfo[]> {
  const infos: SnapshotInfo[] = [];
  for await (const info of snapshotter.list(filters)) infos.push(info);
  return infos;
}

describe("overlayfs snapshotter", () => {
  let root: string;
  let snapshotter: OverlayfsSnapshotter;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "snapshots-"));
    snapshotter = new OverlayfsSnapshotter({ root });
  });
  afterEach(async () => {
    await snapshotter.close();
    rmSync(root, { recursive: true });
  });

  const upper = (n: number): string => join(root, "snapshots", String(n), "fs");
  const work = (n: number): string => join(root, "snapshots", String(n), "work");
  async function layer(name: string, parent: string, files: Record<string, string>): Promise<void> {
    const mounts = await snapshotter.prepare(`extract ${name}`, parent);
    const merged = mkdtempSync(join(tmpdir(), "merged-"));
    mountAll(mounts, merged);
    for (const [file, content] of Object.entries(files)) writeFileSync(join(merged, file), content);
    unmountAll(merged);
    rmSync(merged, { recursive: true });
    await snapshotter.commit(name, `extract ${name}`);
  }
  async function names(filters?: string[]): Promise<string[]> {
    return (await all(snapshotter, filters)).map(({ name }) => name);
  }

  it("mounts as containerd does", async () => {
    const index = existsSync("/sys/module/overlay/parameters/index") ? ["index=off"] : [];
    assert.deepEqual(await snapshotter.prepare("a", ""), [
      { type: "bind", source: upper(1), options: ["rw", "rbind"] },
    ]);
    await snapshotter.commit("A", "a");
    assert.deepEqual(await snapshotter.view("v", "A"), [{ type: "bind", source: upper(1), options: ["ro", "rbind"] }]);
    const onA = [
      {
        type: "overlay",
        source: "overlay",
        options: [`workdir=${work(3)}`, `upperdir=${upper(3)}`, `lowerdir=${upper(1)}`, ...index],
      },
    ];
    assert.deepEqual(await snapshotter.prepare("b", "A"), onA);
    assert.deepEqual(await snapshotter.mounts("b"), onA);
    await snapshotter.commit("B", "b");
    assert.deepEqual(await snapshotter.view("w", "B"), [
      { type: "overlay", source: "overlay", options: [`lowerdir=${upper(3)}:${upper(1)}`, ...index] },
    ]);
    assert.deepEqual(await snapshotter.view("empty", ""), [
      { type: "bind", source: upper(5), options: ["ro", "rbind"] },
    ]);
  });

  it("shows the layers through real mounts", async () => {
    await layer("one", "", { a: "1", b: "1" });
    await layer("two", "one", { b: "2", c: "2" });
    await layer("three", "two", { c: "3" });
    const merged = mkdtempSync(join(tmpdir(), "merged-"));
    mountAll(await snapshotter.view("look", "three"), merged);
    try {
      assert.deepEqual(
        ["a", "b", "c"].map((name) => readFileSync(join(merged, name), "utf8")),
        ["1", "2", "3"],
      );
      assert.throws(() => writeFileSync(join(merged, "x"), ""), { code: "EROFS" });
    } finally {
      unmountAll(merged);
      rmSync(merged, { recursive: true });
    }
  });

  it("gives the upper folder its parent's owner and mode", async () => {
    await snapshotter.prepare("a", "");
    chownSync(upper(1), 1000, 1001);
    await snapshotter.commit("A", "a");
    await snapshotter.prepare("b", "A");
    const { uid, gid, mode } = statSync(upper(2));
    assert.deepEqual([uid, gid, mode & 0o7777], [1000, 1001, 0o755]);
  });

  it("measures usage, hard links once", async () => {
    await snapshotter.prepare("a", "");
    writeFileSync(join(upper(1), "big"), Buffer.alloc(100_000, 1));
    linkSync(join(upper(1), "big"), join(upper(1), "same"));
    mkdirSync(join(upper(1), "dir"));
    const expected = ["", "big", "dir"].reduce((sum, name) => sum + statSync(join(upper(1), name)).blocks * 512, 0);
    assert.deepEqual(await snapshotter.usage("a"), { size: expected, inodes: 3 });
    await snapshotter.commit("A", "a");
    assert.deepEqual(await snapshotter.usage("A"), { size: expected, inodes: 3 });
    await snapshotter.view("v", "A");
    assert.deepEqual(await snapshotter.usage("v"), { size: 0, inodes: 0 });
  });

  it("keeps labels and filters by them", async () => {
    await snapshotter.prepare("a", "", { x: "1", "containerd.io/gc.root": "now" });
    await snapshotter.commit("A", "a", { y: "2" });
    assert.deepEqual((await snapshotter.stat("A")).labels, { y: "2" });
    assert.deepEqual(
      (await snapshotter.update({ name: "A", labels: { y: "", z: "3" } }, ["labels.y", "labels.z"])).labels,
      { z: "3" },
    );
    await snapshotter.prepare("b", "A", { x: "1" });
    assert.deepEqual(await names(["kind==active"]), ["b"]);
    assert.deepEqual(await names(["parent==A", "labels.z==3"]), ["A", "b"]);
    assert.deepEqual((await snapshotter.update({ name: "b", labels: { q: "4" } })).labels, { q: "4" });
    await assert.rejects(snapshotter.update({ name: "b", labels: {} }, ["parent"]), {
      message: 'cannot update "parent" field on snapshot "b": invalid argument',
    });
  });

  it("refuses in containerd's words and changes nothing", async () => {
    await snapshotter.prepare("a", "");
    await assert.rejects(snapshotter.prepare("a", ""), {
      name: "AlreadyExists",
      message: "failed to create snapshot: snapshot a: already exists",
    });
    await assert.rejects(snapshotter.prepare("b", "none"), {
      name: "NotFound",
      message: 'failed to create snapshot: missing parent "none" bucket: not found',
    });
    await assert.rejects(snapshotter.prepare("b", "a"), { name: "InvalidArgument" });
    await assert.rejects(snapshotter.stat("b"), { name: "NotFound", message: "snapshot b: not found" });
    await assert.rejects(snapshotter.commit("X", "none"), { name: "NotFound" });
    await snapshotter.commit("A", "a");
    await assert.rejects(snapshotter.mounts("A"), { name: "FailedPrecondition" });
    await snapshotter.prepare("c", "A");
    await assert.rejects(snapshotter.commit("A", "c"), {
      name: "AlreadyExists",
      message: "failed to commit snapshot c: committed snapshot A: already exists",
    });
    await assert.rejects(snapshotter.remove("A"), {
      name: "FailedPrecondition",
      message: "failed to remove snapshot A: cannot remove snapshot with child: failed precondition",
    });
    await assert.rejects(snapshotter.remove("none"), { name: "NotFound" });
    await snapshotter.view("v", "A");
    await assert.rejects(snapshotter.commit("V", "v"), { name: "FailedPrecondition" });
    assert.deepEqual(await names(), ["A", "c", "v"]);
    assert.deepEqual(readdirSync(join(root, "snapshots")).length, 3);
  });

  it("starts with records that cannot be read, keeps their folders and says so", async () => {
    await layer("one", "", { a: "1" });
    await layer("two", "one", { b: "2" });
    await snapshotter.close();
    const database = new DatabaseSync(join(root, "metadata.db"));
    database.exec(
      `UPDATE snapshots SET labels = '{broken', size = ${1n << 60n} WHERE name = 'one'; UPDATE snapshots SET created_at = ${1n << 62n} WHERE name = 'two'`,
    );
    database.close();
    snapshotter = new OverlayfsSnapshotter({ root });
    assert.deepEqual(await names(), ["one", "two"]);
    assert.deepEqual((await snapshotter.stat("two")).createdAt, new Date(0));
    assert.deepEqual(
      snapshotter.damage(),
      ["one", "two"].map((name) => `the record of snapshot ${name} cannot be read: its labels are given up`),
    );
    assert.ok(existsSync(join(upper(1), "a")));
  });

  it("frees the space of what is removed", async () => {
    await layer("one", "", { a: "1" });
    await snapshotter.prepare("b", "one");
    await snapshotter.remove("b");
    await snapshotter.remove("one");
    await snapshotter.cleanup();
    assert.deepEqual(readdirSync(join(root, "snapshots")), []);
    await snapshotter.prepare("c", "");
    assert.deepEqual(readdirSync(join(root, "snapshots")), ["3"], "an id is never given twice");
  });

  describe("when the machine goes down", () => {
    const chain = (name: string): string => `sha256:${name}`;
    async function unpack(name: string, parent: string): Promise<void> {
      const key = `extract-1-abcd ${chain(name)}`;
      await snapshotter.prepare(key, parent);
      await snapshotter.commit(chain(name), key, { x: "1" });
    }
    /** What the disk says when the process is gone and has done nothing more. */
    async function reopened(boot: string): Promise<string[]> {
      const copy = mkdtempSync(join(tmpdir(), "snapshots-copy-"));
      cpSync(root, copy, { recursive: true });
      const again = new OverlayfsSnapshotter({ root: copy, boot });
      try {
        return (await all(again)).map(({ name }) => name);
      } finally {
        await again.close();
        rmSync(copy, { recursive: true });
      }
    }
    beforeEach(async () => {
      await snapshotter.close();
      snapshotter = new OverlayfsSnapshotter({ root, boot: "first" });
    });

    it("a layer that may not be on its disk is given up, with those on it, and can be unpacked again", async () => {
      await unpack("a", "");
      await unpack("b", chain("a"));
      assert.deepEqual((await snapshotter.stat(chain("a"))).labels, { x: "1" });
      await snapshotter.update({ name: chain("a"), labels: { y: "2" } });
      assert.deepEqual(await reopened("first"), [chain("a"), chain("b")], "a killed process loses nothing");
      assert.deepEqual(
        (await reopened("second")).filter((name) => !name.startsWith("lost/")),
        [],
      );
    });

    it("a layer that is written on is on the disk before, and stays", async () => {
      await unpack("a", "");
      await snapshotter.prepare("container", chain("a"));
      assert.deepEqual(await reopened("second"), ["container", chain("a")].toSorted());
    });

    it("what is no layer keeps its name: no blob could give it back", async () => {
      await layer("built", "", { a: "1" });
      assert.deepEqual(await reopened("second"), ["built"]);
    });

    it("a little later all is on the disk", async () => {
      await unpack("a", "");
      for (const deadline = Date.now() + 10_000; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
        if ((await reopened("second")).includes(chain("a"))) break;
        assert.ok(Date.now() < deadline);
      }
    });
  });

  it("takes away what a start left that was killed while it tried overlayfs", async () => {
    await snapshotter.close();
    for (const name of ["lower1", "lower2", "upper", "work", "merged"])
      mkdirSync(join(root, "overlay-check", name), { recursive: true });
    const at = (name: string): string => join(root, "overlay-check", name);
    mountAll(
      [
        {
          type: "overlay",
          source: "overlay",
          options: [`lowerdir=${at("lower2")}:${at("lower1")}`, `upperdir=${at("upper")}`, `workdir=${at("work")}`],
        },
      ],
      at("merged"),
    );
    snapshotter = new OverlayfsSnapshotter({ root });
    assert.deepEqual(
      readdirSync(root).filter((name) => name.startsWith("overlay-check")),
      [],
    );
  });

  it("is whole after SIGKILL at any moment", async function () {
    this.timeout(20_000);
    const writer = new URL("./testing/churn.ts", import.meta.url).pathname;
    for (let round = 0; round < 8; round++) {
      await snapshotter.close();
      const child = spawn(process.execPath, [writer, root], { stdio: ["ignore", "pipe", "inherit"] });
      await once(child.stdout, "data");
      // Not a wait for something: the kill falls wherever it falls.
      await new Promise((resolve) => setTimeout(resolve, 3 + round * 7));
      child.kill("SIGKILL");
      await once(child, "close");
      snapshotter = new OverlayfsSnapshotter({ root });
      await snapshotter.cleanup();
      const folders = readdirSync(join(root, "snapshots"));
      const infos = await all(snapshotter);
      assert.equal(folders.length, infos.length);
      assert.ok(
        folders.every((name) => /^\d+$/.test(name)),
        folders.join(),
      );
      for (const { name, kind } of infos) {
        if (kind === "committed") continue;
        for (const { source, options } of await snapshotter.mounts(name)) {
          const paths =
            source === "overlay" ? options.flatMap((option) => option.split("=")[1]?.split(":") ?? []) : [source];
          for (const path of paths) assert.ok(path === "off" || existsSync(path), path);
        }
      }
    }
  });
});
