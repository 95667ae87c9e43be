import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { mkfifo } from "@longshore/sys";
import { ArchiveWorkers, FileArchiver } from "../index.ts";
import { collect, stream, tarOf } from "../testing/tars.ts";
import { describeTree } from "../testing/tree.ts";

describe("files of a container", () => {
  let dir: string;
  let root: string;
  const workers = new ArchiveWorkers({ size: 2 });
  const files = new FileArchiver(workers);
  after(() => workers.close());
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "files-"));
    root = join(dir, "root");
    mkdirSync(join(root, "d/sub"), { recursive: true });
    mkdirSync(join(root, "etc"));
    mkdirSync(join(dir, "etc"));
    writeFileSync(join(dir, "secret"), "host");
    writeFileSync(join(dir, "etc/x"), "host");
    writeFileSync(join(root, "etc/x"), "inside");
    writeFileSync(join(root, "d/f"), "hi\n");
    utimesSync(join(root, "d/f"), 1_000_000_000.5, 1_000_000_000.5);
    linkSync(join(root, "d/f"), join(root, "d/hard"));
    symlinkSync("d", join(root, "ld"));
    symlinkSync("/etc/x", join(root, "d/abs"));
    symlinkSync("../../../secret", join(root, "out"));
    symlinkSync("/", join(root, "top"));
    mkfifo(join(root, "d/fifo"), 0o644);
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  async function pack(path: string, include: "self" | "children" = "self"): Promise<string[]> {
    const tar = await collect(files.pack({ root, path, include }));
    return execFileSync("tar", ["-tPf", "-"], { input: tar }).toString().trim().split("\n");
  }
  const put = (
    path: string,
    tar: Uint8Array,
    options: { owner?: { uid: number; gid: number }; noOverwriteDirNonDir?: boolean } = {},
  ): Promise<void> => files.unpack(stream(tar), { root, path, noOverwriteDirNonDir: false, ...options });

  it("names entries as docker cp does", async () => {
    const below = ["abs", "f", "fifo", "hard", "sub/"];
    assert.deepEqual(await pack("/d"), ["d/", ...below.map((name) => `d/${name}`)]);
    assert.deepEqual(await pack("d/../d/"), await pack("/d"));
    assert.deepEqual(await pack("/d/."), ["./", ...below.map((name) => `./${name}`)]);
    assert.deepEqual(await pack("/ld"), ["ld"]);
    assert.deepEqual(await pack("/ld/"), ["ld/", ...below.map((name) => `ld/${name}`)]);
    assert.deepEqual(await pack("/ld/f"), ["f"]);
    assert.deepEqual((await pack("/")).slice(0, 4), ["/", "/d/", "/d/abs", "/d/f"]);
    assert.deepEqual((await pack("/", "children")).slice(0, 3), ["d/", "d/abs", "d/f"]);
    await assert.rejects(pack("/nope"), { name: "NotFound" });
    await assert.rejects(pack("/d/f/"), { name: "Unknown", message: "lstat /d/f/: not a directory" });
  });

  it("refuses what its compression says is damaged, though the archive in it may be whole", async () => {
    const packed = gzipSync(tarOf({ name: "packed", data: "whole" }));
    const damaged = Buffer.from(packed);
    damaged[packed.length - 6] = (damaged[packed.length - 6] ?? 0) ^ 0xff;
    await assert.rejects(put("/", damaged), { message: "gzip: incorrect data check" });
    await assert.rejects(put("/", packed.subarray(0, -5)), { message: "unexpected EOF" });
  });

  it("tells of a path what docker cp asks", () => {
    const { mtime, ...rest } = files.stat(root, "/ld");
    assert.deepEqual(rest, { name: "ld", size: 1, mode: 134_218_239, linkTarget: "/d" });
    assert.match(mtime, /^\d{4}-.*Z$/);
    assert.deepEqual(files.stat(root, "d/f"), {
      name: "f",
      size: 3,
      mode: 420,
      mtime: "2001-09-09T01:46:40.5Z",
      linkTarget: "",
    });
    assert.deepEqual(
      [files.stat(root, "/").name, files.stat(root, "/d/.").name, files.stat(root, "/d/").mode],
      ["/", ".", 2_147_484_141],
    );
    assert.equal(files.stat(root, "/d/abs").linkTarget, "/etc/x");
    assert.equal(files.stat(root, "/out").linkTarget, "/secret");
    assert.throws(() => files.stat(root, "/out/"), { name: "NotFound" });
  });

  it("never reads outside the root", async () => {
    const tar = await collect(files.pack({ root, path: "/top/etc/x", include: "self" }));
    assert.ok(tar.includes("inside") && !tar.includes("host"));
    await assert.rejects(pack("/out/x"), { name: "NotFound" });
    assert.deepEqual(await pack("../../etc"), ["etc/", "etc/x"]);
  });

  it("unpacks through links of the container, not of the host", async () => {
    await put("/ld", tarOf({ name: "new", data: "1" }));
    assert.equal(readFileSync(join(root, "d/new"), "utf8"), "1");
    await put("/", tarOf({ name: "top/etc/x", data: "2" }, { name: "fresh/deep/y", data: "3" }));
    assert.equal(readFileSync(join(root, "etc/x"), "utf8"), "2");
    assert.equal(readFileSync(join(root, "fresh/deep/y"), "utf8"), "3");
    assert.equal(readFileSync(join(dir, "etc/x"), "utf8"), "host");
  });

  const evil: [string, Parameters<typeof tarOf>, string][] = [
    ["a name", [{ name: "../../evil", data: "x" }], 'invalid entry name "../../evil"'],
    [
      "a relative link",
      [
        { name: "l", type: "symlink", linkname: "../../etc" },
        { name: "l/x", data: "evil" },
      ],
      "statat l: path escapes from parent",
    ],
    ["a hard link", [{ name: "h", type: "link", linkname: "../../secret" }], 'invalid hardlink target "../../secret"'],
    [
      "a hard link through a link",
      [
        { name: "l", type: "symlink", linkname: "/etc" },
        { name: "h", type: "link", linkname: "l/passwd" },
      ],
      "linkat l/passwd h: no such file or directory",
    ],
    ["a file as a folder", [{ name: "f/g", data: "" }], "openat f/g: not a directory"],
    [
      "a folder's name too long",
      [{ name: `${"n".repeat(256)}/g`, data: "" }],
      `openat ${"n".repeat(256)}/g: file name too long`,
    ],
  ];
  for (const [what, entries, message] of evil) {
    it(`refuses ${what} that leads out`, async () => {
      const before = describeTree(dir).filter((line) => !line.startsWith("root"));
      await assert.rejects(put("/d", tarOf(...entries)), { name: "Unknown", message });
      assert.deepEqual(
        describeTree(dir).filter((line) => !line.startsWith("root")),
        before,
      );
    });
  }

  it("makes what an absolute link names inside the folder", async () => {
    await put("/d", tarOf({ name: "l", type: "symlink", linkname: "/tmp/a" }, { name: "l/x", data: "in" }));
    assert.equal(readFileSync(join(root, "d/tmp/a/x"), "utf8"), "in");
  });

  it("refuses to replace a folder by a file, or a file by a folder, when asked", async () => {
    const strict = { noOverwriteDirNonDir: true };
    await assert.rejects(put("/d", tarOf({ name: "sub", data: "x" }), strict), {
      name: "Unknown",
      message: 'cannot overwrite directory "sub" with non-directory "/d"',
    });
    await assert.rejects(put("/d", tarOf({ name: "f", type: "directory" }), strict), {
      name: "Unknown",
      message: 'cannot overwrite non-directory "f" with directory "/d"',
    });
    await put("/d", tarOf({ name: "f", data: "replaced" }, { name: "sub/", type: "directory", mode: 0o700 }), strict);
    assert.equal(readFileSync(join(root, "d/f"), "utf8"), "replaced");
    await put("/d", tarOf({ name: "sub", data: "x" }));
    assert.ok(lstatSync(join(root, "d/sub")).isFile());
  });

  it("gives all to one owner when asked, and leaves the folder itself alone", async () => {
    await put(
      "/d",
      tarOf(
        { name: "./", type: "directory", mode: 0o700, uid: 9 },
        { name: "o/p", data: "" },
        { name: "q", type: "symlink", linkname: "z", uid: 3 },
      ),
      { owner: { uid: 50, gid: 60 } },
    );
    for (const name of ["o", "o/p", "q"])
      assert.deepEqual([lstatSync(join(root, "d", name)).uid, lstatSync(join(root, "d", name)).gid], [50, 60]);
    assert.deepEqual([statSync(join(root, "d")).mode & 0o777, statSync(join(root, "d")).uid], [0o755, 0]);
  });

  it("answers as Docker for a bad place or archive", async () => {
    await assert.rejects(put("/d/f", tarOf()), {
      name: "InvalidArgument",
      message: "extraction point is not a directory",
    });
    await assert.rejects(put("/nope", tarOf()), { name: "NotFound" });
    await assert.rejects(put("/d", Buffer.alloc(2000, "junk")), { message: "archive/tar: invalid tar header" });
    await assert.rejects(put("/d", tarOf({ name: "big", data: "x".repeat(5000) }).subarray(0, 3000)), {
      message: "unexpected EOF",
    });
  });

  it("comes back the same", async () => {
    const tar = await collect(files.pack({ root, path: "/d/.", include: "self" }));
    mkdirSync(join(root, "copy"));
    await put("/copy", tar);
    const cut = (lines: string[]): string[] =>
      lines.slice(1).map((line) => line.replace(/mtime=(\d+)\d{9}/, "mtime=$1"));
    assert.deepEqual(cut(describeTree(join(root, "copy"))), cut(describeTree(join(root, "d"))));
  });

  it("passes an error of the source on, and does not wait for a source that stalls", async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield tarOf({ name: "a", data: "1" }).subarray(0, 512);
      throw new Error("connection reset");
    }
    await assert.rejects(files.unpack(broken(), { root, path: "/d", noOverwriteDirNonDir: false }), {
      message: "connection reset",
    });
    async function* stalled(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(1024, "junk");
      await new Promise(() => undefined);
    }
    await assert.rejects(files.unpack(stalled(), { root, path: "/d", noOverwriteDirNonDir: false }), {
      message: "archive/tar: invalid tar header",
    });
  });

  it("frees a thread whose reader leaves early, and is stopped by a signal", async () => {
    writeFileSync(join(root, "big"), Buffer.alloc(20_000_000, 1));
    for (let round = 0; round < 5; round++) {
      for await (const piece of files.pack({ root, path: "/big", include: "self" })) {
        assert.ok(piece.length > 0);
        break;
      }
    }
    const abort = new AbortController();
    const reading = collect(files.pack({ root, path: "/", include: "self" }, abort.signal));
    abort.abort();
    await assert.rejects(reading, { name: "Canceled" });
    assert.equal((await pack("/etc")).length, 2);
  });

  it("leaves no descriptors open", async () => {
    const local = new ArchiveWorkers({ size: 1 });
    const archiver = new FileArchiver(local);
    const count = (): number => readdirSync("/proc/self/fd").length;
    const work = async (): Promise<void> => {
      const tar = await collect(archiver.pack({ root, path: "/d", include: "self" }));
      await archiver.unpack(stream(tar), { root, path: "/etc", noOverwriteDirNonDir: false });
      await assert.rejects(
        archiver.unpack(stream(tar.subarray(0, 1000)), { root, path: "/etc", noOverwriteDirNonDir: false }),
      );
      archiver.stat(root, "/d/f");
    };
    await work();
    const before = count();
    for (let round = 0; round < 5; round++) await work();
    assert.equal(count(), before);
    await local.close();
    assert.ok(existsSync(join(root, "etc/d/f")));
  });
});
