import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  statfsSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { lgetxattr, lsetxattr, mountAll, unmountAll } from "@longshore/sys";
import { isOpaque, isWhiteoutDevice } from "../extract/overlay.ts";
import type { TarHeader } from "../tar/header.ts";
import { KeptMemory } from "../limits/memory.ts";
import { Room } from "../limits/room.ts";
import { stream, tarOf } from "../testing/tars.ts";
import { describeTree } from "../testing/tree.ts";
import { applyLayer } from "./apply.ts";

type Entry = Parameters<typeof tarOf>[number];

describe("apply", () => {
  let dir: string;
  let root: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "apply-"));
    root = join(dir, "outer/root");
    mkdirSync(root, { recursive: true });
    writeFileSync(join(dir, "outer/secret"), "keep");
    writeFileSync(join(dir, "secret"), "keep");
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const at = (name: string): string => join(root, name);
  const apply = (tar: Buffer, options: Partial<Parameters<typeof applyLayer>[1]> = {}): ReturnType<typeof applyLayer> =>
    applyLayer(stream(tar), { root, whiteouts: "overlay", lowers: [], syncFs: false, ...options });

  it("keeps a bounded part of a million folders in mind, and the last blocks of the disk for others", () => {
    const kept = new KeptMemory(1000);
    assert.throws(
      () => {
        for (;;) kept.keep("a folder");
      },
      { name: "BadArchive", message: /too many entries/ },
    );
    const room = new Room(dir, 1000);
    room.take(1000, 5);
    assert.throws(() => room.take(1), { name: "BadArchive", message: "the archive unpacks to more than 1000 bytes" });
  });

  it("ends a bomb at the configured size, and when the disk runs short", async () => {
    const bomb = gzipSync(tarOf({ name: "zeros", data: "\0".repeat(1 << 20) }));
    await assert.rejects(apply(bomb, { limit: 1 << 19 }), {
      name: "BadArchive",
      message: "the archive unpacks to more than 524288 bytes",
    });
    const disk = join(dir, "disk");
    mkdirSync(disk);
    mountAll([{ type: "tmpfs", source: "none", options: ["size=64m"] }], disk);
    try {
      const large = tarOf(
        { name: "large", data: "x".repeat(62 << 20) },
        { name: "second", data: "x".repeat(32 << 20) },
      );
      await assert.rejects(apply(gzipSync(large), { root: disk }), { message: /no space left on device/ });
      await apply(tarOf({ name: "small", data: "fits" }), { root: disk });
      assert.ok(statfsSync(disk).bavail > 0);
    } finally {
      unmountAll(disk);
    }
  });

  for (const [what, entry, message] of [
    ["a user of 2^32", { name: "f", uid: 2 ** 32 }, 'owner 4294967296:0 for "f" out of range: invalid archive'],
    ["a group of 2^32", { name: "f", gid: 2 ** 32 }, 'owner 0:4294967296 for "f" out of range: invalid archive'],
    [
      "a major number of 2^12",
      { name: "d", type: "char", devMajor: 4096 },
      'device number 4096:0 for "d" out of range: invalid archive',
    ],
    [
      "a minor number of 2^20",
      { name: "d", type: "block", devMinor: 1 << 20 },
      'device number 0:1048576 for "d" out of range: invalid archive',
    ],
  ] as const) {
    it(`refuses ${what}, which Linux would take for another`, async () => {
      await assert.rejects(apply(tarOf(entry)), { name: "BadArchive", message });
      assert.equal(existsSync(at(entry.name)), false);
    });
  }

  it("takes the largest ids and device numbers", async () => {
    await apply(
      tarOf(
        { name: "f", uid: 2 ** 32 - 2, gid: 2 ** 31 },
        { name: "d", type: "char", devMajor: 4095, devMinor: (1 << 20) - 1 },
      ),
    );
    assert.deepEqual([statSync(at("f")).uid, statSync(at("f")).gid], [2 ** 32 - 2, 2 ** 31]);
    assert.ok(lstatSync(at("d")).isCharacterDevice());
  });

  it("takes `/` and `.` as entries for what they are: the root, of which nothing is changed", async () => {
    for (const name of ["/", "./", ".", "//"]) {
      await apply(
        tarOf(
          { name, type: "directory", mode: 0o700 },
          { name, data: "of no use" },
          { name, type: "symlink", linkname: "x" },
          { name: "f/", data: "a file, whatever its name says" },
        ),
      );
    }
    assert.equal(readFileSync(at("f"), "utf8"), "a file, whatever its name says");
    assert.equal(statSync(root).mode & 0o777, 0o755);
  });

  const file: Entry = { name: "ok", data: "hi" };
  const folder = (name: string): Entry => ({ name: `${name}/`, type: "directory" });
  const symlink = (name: string, linkname: string): Entry => ({ name, type: "symlink", linkname });
  const hardlink = (name: string, linkname: string): Entry => ({ name, type: "link", linkname });

  const evil: [what: string, entries: Entry[], message: string][] = [
    ["a path that leads up", [file, { name: "../../evil", data: "x" }], 'invalid entry name "../../evil"'],
    [
      "a path that leads up behind a link",
      [symlink("a", "../.."), { name: "a/../../secret", data: "x" }],
      'invalid entry name "a/../../secret"',
    ],
    [
      "a relative link that leads out",
      [symlink("lnk", "../../../.."), { name: "lnk/secret", data: "x" }],
      "statat lnk: path escapes from parent",
    ],
    [
      "a chain of links that leads out",
      [folder("d"), symlink("d/up", ".."), symlink("e", "d/up/.."), { name: "e/secret", data: "x" }],
      "statat e: path escapes from parent",
    ],
    [
      "a loop of links",
      [symlink("a", "b"), symlink("b", "a"), { name: "a/x", data: "x" }],
      "statat a: too many levels of symbolic links",
    ],
    [
      "a hard link that leads up",
      [hardlink("h", "../../../../etc/passwd")],
      'invalid hardlink target "../../../../etc/passwd"',
    ],
    [
      "a hard link to an absolute path",
      [hardlink("h", "/etc/passwd")],
      "linkat etc/passwd h: no such file or directory",
    ],
    [
      "a hard link through a link",
      [symlink("lnk", "/etc"), hardlink("h", "lnk/passwd")],
      "linkat lnk/passwd h: no such file or directory",
    ],
    ["a hard link to itself", [{ name: "h", data: "x" }, hardlink("h", "h")], "linkat h h: no such file or directory"],
    ["a hard link to a folder", [folder("d"), hardlink("h", "d")], "linkat d h: operation not permitted"],
    ["a deletion of ..", [folder("d"), { name: "d/.wh..." }], 'invalid whiteout entry "d/.wh..."'],
    ["a deletion of .", [folder("d"), { name: "d/.wh.." }], 'invalid whiteout entry "d/.wh.."'],
    ["a deletion of nothing", [folder("d"), { name: "d/.wh." }], 'invalid whiteout entry "d/.wh."'],
    [
      "a file as a folder",
      [
        { name: "f", data: "x" },
        { name: "f/g", data: "x" },
      ],
      "openat f/g: not a directory",
    ],
  ];
  for (const [what, entries, message] of evil) {
    for (const whiteouts of ["overlay", "remove"] as const) {
      it(`refuses ${what} (${whiteouts}) and changes nothing outside`, async () => {
        const before = describeTree(dir).filter((line) => !line.startsWith("outer/root"));
        await assert.rejects(apply(tarOf(...entries), { whiteouts }), { name: "BadArchive", message });
        assert.deepEqual(
          describeTree(dir).filter((line) => !line.startsWith("outer/root")),
          before,
        );
      });
    }
  }

  it("keeps absolute names and links inside the root", async () => {
    await apply(
      tarOf(
        { name: "/evil", data: "a" },
        symlink("lnk", "/tmp/deep"),
        { name: "lnk/file", data: "b" },
        symlink("t", "lnk"),
        { name: "t/../two", data: "c" },
      ),
    );
    assert.equal(readFileSync(at("evil"), "utf8"), "a");
    assert.equal(readFileSync(at("tmp/deep/file"), "utf8"), "b");
    assert.equal(readFileSync(at("two"), "utf8"), "c");
    assert.equal(readlinkSync(at("lnk")), "/tmp/deep");
  });

  it("writes no file through a link in its place", async () => {
    await apply(tarOf(symlink("f", "../secret"), { name: "f", data: "new" }, symlink("g", "../secret"), folder("g")));
    assert.equal(readFileSync(at("f"), "utf8"), "new");
    assert.equal(readFileSync(join(dir, "outer/secret"), "utf8"), "keep");
    assert.ok(lstatSync(at("g")).isDirectory());
  });

  it("takes no overlay attributes from a layer", async () => {
    await apply(
      tarOf({
        ...folder("d"),
        xattrs: new Map([
          ["trusted.overlay.redirect", "/x"],
          ["user.a", "b"],
        ]),
      }),
    );
    assert.throws(() => lgetxattr(at("d"), "trusted.overlay.redirect"), { code: "ENODATA" });
    assert.equal(lgetxattr(at("d"), "user.a").toString(), "b");
  });

  it("leaves the root what it is", async () => {
    const before = [statSync(root).mode & 0o7777, statSync(root).uid];
    await apply(
      tarOf(
        { name: ".", data: "x" },
        symlink("./", "/tmp"),
        { name: "", data: "x" },
        { ...folder("."), mode: 0o711, uid: 5 },
      ),
    );
    const { mode, uid } = statSync(root);
    assert.deepEqual([mode & 0o7777, uid], before);
  });

  const mtime = { sec: 1_000_000_000, nsec: 123_456_789 };
  it("makes every kind of file with owner, mode, attributes and times", async () => {
    const capability = "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00";
    const header: Partial<TarHeader> = { uid: 1000, gid: 1001, mtime };
    await apply(
      tarOf(
        { ...folder("d"), ...header, mode: 0o3770 },
        {
          ...header,
          name: "d/ping",
          data: "elf",
          mode: 0o4755,
          xattrs: new Map([["security.capability", capability]]),
        },
        { ...header, ...hardlink("d/hard", "d/ping") },
        { ...header, ...symlink("d/sym", "nowhere") },
        { ...header, name: "d/null", type: "char", devMajor: 1, devMinor: 3, mode: 0o666 },
        { ...header, name: "d/loop", type: "block", devMajor: 7, devMinor: 300 },
        { ...header, name: "d/fifo", type: "fifo", mode: 0o622 },
        { ...header, name: "d/caf\xc3\xa9" },
        { ...header, name: "d/bytes\xff" },
      ),
    );
    const lines = describeTree(root).slice(1);
    const time = "mtime=1000000000123456789";
    assert.deepEqual(lines, [
      `d 43770 1000:1001 ${time}`,
      `d/bytes\xff 100644 1000:1001 nlink=1  ${time} size=0 `,
      `d/caf\xc3\xa9 100644 1000:1001 nlink=1  ${time} size=0 `,
      `d/fifo 10622 1000:1001 nlink=1  ${time}`,
      `d/hard 104755 1000:1001 nlink=2  ${time} size=3 elf security.capability=${Buffer.from(capability, "latin1").toString("hex")}`,
      `d/loop 60644 1000:1001 nlink=1  ${time} rdev=${(7 << 8) | (300 & 0xff) | ((300 & ~0xff) << 12)}`,
      `d/null 20666 1000:1001 nlink=1  ${time} rdev=259`,
      `d/ping 104755 1000:1001 nlink=2 =d/hard ${time} size=3 elf security.capability=${Buffer.from(capability, "latin1").toString("hex")}`,
      `d/sym 120777 1000:1001 nlink=1  ${time} -> nowhere`,
    ]);
  });

  it("replaces what stands in the way", async () => {
    await apply(
      tarOf(
        { name: "a", data: "x" },
        folder("a"),
        { name: "a/b", data: "y" },
        { name: "a", data: "z" },
        symlink("a", "q"),
        { name: "a", type: "fifo" },
      ),
    );
    assert.ok(lstatSync(at("a")).isFIFO());
    await apply(
      tarOf({ ...folder("a"), mode: 0o700 }, { name: "a/c", data: "" }, { ...folder("a"), mode: 0o750, mtime }),
    );
    assert.equal(statSync(at("a")).mode & 0o777, 0o750);
    assert.ok(existsSync(at("a/c")));
    assert.equal(statSync(at("a"), { bigint: true }).mtimeNs, 1_000_000_000_123_456_789n);
  });

  it("writes whiteouts for overlayfs", async () => {
    await apply(
      tarOf(
        { name: ".wh.gone" },
        folder("d"),
        { name: "d/.wh..wh..opq" },
        { name: "d/x", data: "1" },
        { name: "new/.wh.y" },
        { name: ".wh..wh.plnk/1.2", data: "aufs" },
        { name: ".wh..wh.aufs" },
      ),
    );
    assert.ok(isWhiteoutDevice(lstatSync(at("gone"))));
    assert.ok(isWhiteoutDevice(lstatSync(at("new/y"))));
    assert.ok(isOpaque(at("d")));
    assert.ok(!existsSync(at("d/.wh..wh..opq")) && !existsSync(at(".wh..wh.aufs")));
  });

  it("takes a deletion for what lies below, not for what the layer itself makes", async () => {
    await apply(
      tarOf(
        { name: "f", data: "new" },
        { name: ".wh.f" },
        folder("d"),
        { name: "d/x", data: "1" },
        { name: ".wh.d" },
        { name: ".wh.e" },
        folder("e"),
        { name: ".wh.g" },
        { name: "g/h", data: "2" },
      ),
    );
    assert.equal(readFileSync(at("f"), "utf8"), "new");
    assert.ok(existsSync(at("d/x")) && isOpaque(at("d")));
    assert.ok(isOpaque(at("e")) && isOpaque(at("g")));
  });

  it("deletes in a folder that is no upper one", async () => {
    await apply(tarOf(folder("d"), { name: "d/a", data: "" }, { name: "d/b/c", data: "" }, { name: "e", data: "" }), {
      whiteouts: "remove",
    });
    await apply(
      tarOf({ name: "d/new", data: "" }, { name: "d/.wh..wh..opq" }, { name: ".wh.e" }, { name: ".wh.none" }),
      { whiteouts: "remove" },
    );
    assert.deepEqual(
      describeTree(root, { times: false }).map((line) => line.split(" ")[0]),
      [".", "d", "d/new"],
    );
  });

  it("makes missing folders like those below", async () => {
    const lower = join(dir, "lower");
    mkdirSync(join(lower, "usr/lib"), { recursive: true, mode: 0o750 });
    lsetxattr(join(lower, "usr"), "user.note", Buffer.from("x"));
    utimesSync(join(lower, "usr/lib"), 5, 6);
    await apply(tarOf({ name: "usr/lib/x/y", data: "" }), { lowers: [join(dir, "none"), lower] });
    assert.deepEqual([statSync(at("usr")).mode & 0o777, statSync(at("usr/lib/x")).mode & 0o777], [0o750, 0o755]);
    assert.equal(lgetxattr(at("usr"), "user.note").toString(), "x");
  });

  const plain = tarOf({ name: "f", data: "x".repeat(300_000) });
  const truncated = (bytes: Buffer): Buffer => bytes.subarray(0, Math.floor(bytes.length / 2));
  for (const [name, pack] of [
    ["plain", (tar: Buffer) => tar],
    ["gzip", gzipSync],
    ["zstd", zstdCompressSync],
  ] as const) {
    it(`tells the digest of the tar and where a ${name} layer ends early`, async () => {
      const random = Buffer.from(plain);
      for (let index = 512; index < 300_000; index++) random[index] = (index * index * 31) % 251;
      const { diffId, size } = await apply(pack(random));
      assert.deepEqual([diffId, size], [`sha256:${createHash("sha256").update(random).digest("hex")}`, random.length]);
      await assert.rejects(apply(truncated(pack(random))), { message: "unexpected EOF" });
    });
  }

  it("unpacks bzip2 and xz where their programs are", async () => {
    for (const program of ["bzip2", "xz"]) {
      const packed = spawnSync(program, ["-c"], { input: plain, maxBuffer: 1 << 24 });
      if (packed.error !== undefined) continue;
      assert.equal((await apply(packed.stdout)).size, plain.length);
      await assert.rejects(apply(truncated(packed.stdout)));
    }
  });

  it("refuses what is no tar", async () => {
    await assert.rejects(apply(Buffer.from("this is no tar ".repeat(200))), {
      message: "archive/tar: invalid tar header",
    });
    await assert.rejects(
      apply(tarOf({ name: "z", type: "unknown", flag: "Z" }).fill("Z", 156, 157)),
      /invalid tar header/,
    );
    const damaged = gzipSync(plain);
    damaged.fill(0xff, 100, 140);
    await assert.rejects(apply(damaged), { name: "BadArchive", message: /^gzip: / });
  });

  it("stops when asked", async () => {
    await assert.rejects(
      applyLayer(
        stream(plain),
        { root, whiteouts: "overlay", lowers: [], syncFs: true },
        AbortSignal.abort(new Error("stop")),
      ),
      { message: "stop" },
    );
  });
});
