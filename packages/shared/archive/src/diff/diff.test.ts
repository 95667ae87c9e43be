import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MountSpec, S, lsetxattr, mkfifo, mknod, mountAll, unmountAll } from "@longshore/sys";
import { applyLayer } from "../apply/apply.ts";
import { openTrees } from "../layers/trees.ts";
import { TarParser } from "../tar/parser.ts";
import { collect, stream } from "../testing/tars.ts";
import { describeTree } from "../testing/tree.ts";
import { type Trees, changesOf, diffStream } from "./diff.ts";

describe("diff", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "diff-"));
    for (const name of ["lower", "upper", "work", "merged", "upper2", "work2", "merged2"]) mkdirSync(join(dir, name));
    const lower = (name: string): string => join(dir, "lower", name);
    for (const name of ["keep", "gone", "d", "d/sub", "opaque", "opaque/sub", "file-dir"])
      mkdirSync(lower(name), { mode: 0o755 });
    for (const name of [
      "keep/a",
      "gone/b",
      "d/c",
      "d/sub/e",
      "opaque/old",
      "opaque/sub/old",
      "file-dir/x",
      "f",
      "touched",
      "meta",
      "dir-file",
    ])
      writeFileSync(lower(name), `old ${name}`);
    for (const name of ["keep/a", "f", "touched", "meta"]) utimesSync(lower(name), 1000, 1000);
  });
  afterEach(() => {
    for (const name of ["merged", "merged2"]) unmountAll(join(dir, name));
    rmSync(dir, { recursive: true });
  });

  const overlay = (upper: string, work: string): MountSpec => ({
    type: "overlay",
    source: "overlay",
    options: [
      "index=off",
      `workdir=${join(dir, work)}`,
      `upperdir=${join(dir, upper)}`,
      `lowerdir=${join(dir, "lower")}`,
    ],
  });
  const lowerMount = (): MountSpec => ({ type: "bind", source: join(dir, "lower"), options: ["ro", "rbind"] });

  function change(): void {
    mountAll([overlay("upper", "work")], join(dir, "merged"));
    const at = (name: string): string => join(dir, "merged", name);
    writeFileSync(at("f"), "new content");
    chmodSync(at("meta"), 0o600);
    chownSync(at("meta"), 7, 8);
    rmSync(at("gone"), { recursive: true });
    unlinkSync(at("d/sub/e"));
    rmSync(at("opaque"), { recursive: true });
    mkdirSync(at("opaque"));
    writeFileSync(at("opaque/new"), "n");
    rmSync(at("file-dir"), { recursive: true });
    writeFileSync(at("file-dir"), "now a file");
    unlinkSync(at("dir-file"));
    mkdirSync(at("dir-file"));
    writeFileSync(at("dir-file/y"), "y");
    mkdirSync(at("new/deep"), { recursive: true });
    writeFileSync(at("new/deep/one"), "1");
    linkSync(at("new/deep/one"), at("new/two"));
    symlinkSync("../f", at("new/sym"));
    mkfifo(at("new/fifo"), 0o600);
    mknod(at("new/null"), S.IFCHR | 0o666, 1, 3);
    lsetxattr(at("new/two"), "security.capability", Buffer.from("0100000200200000000000000000000000000000", "hex"));
    writeFileSync(Buffer.concat([Buffer.from(`${at("new/")}bytes`), Buffer.from([0xff])]), "");
    for (const name of ["f", "opaque/new", "file-dir", "dir-file/y", "new/deep/one"]) utimesSync(at(name), 2000, 2000);
    unmountAll(join(dir, "merged"));
  }

  async function tarOfTrees(
    trees: Trees,
    compression: "uncompressed" | "gzip" | "zstd" = "uncompressed",
  ): Promise<Buffer> {
    const { stream: tar } = diffStream({ trees, compression, sourceDateEpoch: 5000 });
    return collect(tar);
  }
  function namesIn(tar: Buffer): string[] {
    return [...new TarParser().feed(tar)].flatMap((event) => (event.kind === "entry" ? [event.header.name] : []));
  }
  const expected = [
    "d/",
    "d/sub/",
    "d/sub/.wh.e",
    "dir-file/",
    "dir-file/y",
    "f",
    "file-dir",
    ".wh.gone",
    "meta",
    "new/",
    "new/bytes\xff",
    "new/deep/",
    "new/deep/one",
    "new/fifo",
    "new/null",
    "new/sym",
    "new/two",
    "opaque/",
  ];

  it("takes an overlay's upper folder, whiteouts and opaque folders translated", async () => {
    change();
    const { trees, close } = openTrees([lowerMount()], [overlay("upper", "work")], tmpdir());
    assert.ok("upper" in trees, "the quick way");
    const tar = await tarOfTrees(trees);
    close();
    assert.deepEqual(namesIn(tar), [...expected, "opaque/.wh..wh..opq", "opaque/new"]);
    assert.deepEqual(tar, await tarOfTrees(trees), "the same each time");
  });

  it("compares two mounted trees", async () => {
    change();
    const view: MountSpec = {
      type: "overlay",
      source: "overlay",
      options: [`lowerdir=${join(dir, "upper2")}:${join(dir, "lower")}`],
    };
    const { trees, close } = openTrees([view], [overlay("upper", "work")], tmpdir());
    assert.ok("left" in trees, "the slow way");
    try {
      const tar = await tarOfTrees(trees);
      assert.deepEqual(namesIn(tar), [...expected, "opaque/new", "opaque/.wh.old", "opaque/.wh.sub"].toSorted(byWalk));
    } finally {
      close();
    }
  });

  for (const compression of ["uncompressed", "gzip", "zstd"] as const) {
    it(`comes back whole when applied (${compression})`, async () => {
      change();
      const lowers = [join(dir, "lower")];
      const { stream: tar, diffed } = diffStream({ trees: { upper: join(dir, "upper"), lowers }, compression });
      const bytes = await collect(tar);
      assert.deepEqual(
        await applyLayer(stream(bytes), { root: join(dir, "upper2"), whiteouts: "overlay", lowers, syncFs: false }),
        diffed(),
      );
      mountAll([overlay("upper", "work")], join(dir, "merged"));
      mountAll([overlay("upper2", "work2")], join(dir, "merged2"));
      const cut = (lines: string[]): string[] => lines.map((line) => line.replace(/mtime=(\d+)\d{9}/, "mtime=$1"));
      // The root folder itself is no part of a layer.
      assert.deepEqual(
        cut(describeTree(join(dir, "merged2"))).slice(1),
        cut(describeTree(join(dir, "merged"))).slice(1),
      );
    });
  }

  it("makes a whole layer of a first one, sockets left out", async () => {
    const server = createServer().listen(join(dir, "lower/socket"));
    await new Promise((resolve) => server.once("listening", resolve));
    const { trees, close } = openTrees([], [{ ...lowerMount(), options: ["rw", "rbind"] }], tmpdir());
    assert.ok("upper" in trees);
    const names = namesIn(await tarOfTrees(trees));
    close();
    server.close();
    assert.ok(names.includes("opaque/sub/old") && !names.includes("socket"));
    assert.deepEqual(names, names.toSorted(byWalk));
  });

  it("lists changes", () => {
    change();
    const listed = [...changesOf({ upper: join(dir, "upper"), lowers: [join(dir, "lower")] })].map(
      ({ kind, name }) => `${kind} ${name}`,
    );
    assert.deepEqual(listed.slice(0, 8), [
      "modify d",
      "modify d/sub",
      "delete d/sub/e",
      "modify dir-file",
      "add dir-file/y",
      "modify f",
      "modify file-dir",
      "delete gone",
    ]);
  });

  it("sees another content behind the same size and second", async () => {
    for (const name of ["upper", "upper2"]) writeFileSync(join(dir, name, "same"), name === "upper" ? "one" : "two");
    for (const name of ["upper", "upper2"]) utimesSync(join(dir, name, "same"), 3000, 3000);
    const names = [...changesOf({ left: join(dir, "upper"), right: join(dir, "upper2") })].map(({ name }) => name);
    assert.deepEqual(names, ["same"]);
    writeFileSync(join(dir, "upper2/same"), "one");
    utimesSync(join(dir, "upper2/same"), 3000, 3000);
    assert.deepEqual([...changesOf({ left: join(dir, "upper"), right: join(dir, "upper2") })], []);
  });

  it("leaves no mounts behind", () => {
    const trees = openTrees([lowerMount()], [lowerMount()], tmpdir());
    trees.close();
    assert.throws(() => lstatSync("left" in trees.trees ? trees.trees.left : ""), { code: "ENOENT" });
    assert.throws(() =>
      openTrees(
        [lowerMount()],
        [{ type: "overlay", source: "overlay", options: ["lowerdir=/nonexistent/x"] }],
        tmpdir(),
      ),
    );
    rmdirSync(join(dir, "work2"));
  });
});

/** Folders before what they hold, names in order, a deletion where its name would stand. */
function byWalk(a: string, b: string): number {
  const key = (name: string): string =>
    name
      .replace(/\/$/, "")
      .replace(/\.wh\.(?!\.wh)/, "")
      .replaceAll("/", "\0");
  return key(a) < key(b) ? -1 : 1;
}
