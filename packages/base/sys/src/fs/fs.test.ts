import assert from "node:assert/strict";
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  LOCK,
  MS,
  O,
  RENAME,
  S,
  fallocate,
  flock,
  lgetxattr,
  llistxattr,
  lremovexattr,
  lsetxattr,
  lutimes,
  major,
  minor,
  mkfifo,
  mknod,
  mount,
  openInRoot,
  removeTree,
  renameat2,
  umount,
  writeAside,
} from "../index.ts";

describe("file system calls", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "longshore-sys-"));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it("makes devices and fifos", () => {
    mknod(join(dir, "null"), S.IFCHR | 0o666, 1, 3);
    const stat = statSync(join(dir, "null"));
    assert.deepEqual([stat.isCharacterDevice(), major(stat.rdev), minor(stat.rdev)], [true, 1, 3]);
    mkfifo(join(dir, "fifo"), 0o600);
    assert.ok(statSync(join(dir, "fifo")).isFIFO());
    assert.throws(() => mkfifo(join(dir, "fifo"), 0o600), { code: "EEXIST", path: join(dir, "fifo") });
    assert.throws(() => mkfifo("a\0b", 0o600), TypeError);
  });

  it("sets times to the nanosecond, of a link itself", () => {
    symlinkSync("nowhere", join(dir, "link"));
    lutimes(join(dir, "link"), 1_500_000_000_123_456_789n, -1n);
    const stat = lstatSync(join(dir, "link"), { bigint: true });
    assert.deepEqual([stat.atimeNs, stat.mtimeNs], [1_500_000_000_123_456_789n, -1n]);
  });

  it("reads and writes extended attributes", () => {
    const path = join(dir, "file");
    writeFileSync(path, "");
    lsetxattr(path, "user.a", Buffer.from([0, 1, 255]));
    lsetxattr(path, "user.empty", Buffer.alloc(0));
    assert.deepEqual(
      llistxattr(path).filter((name) => name.startsWith("user.")),
      ["user.a", "user.empty"],
    );
    assert.deepEqual([...lgetxattr(path, "user.a")], [0, 1, 255]);
    assert.equal(lgetxattr(path, "user.empty").length, 0);
    lremovexattr(path, "user.a");
    assert.throws(() => lgetxattr(path, "user.a"), { code: "ENODATA", path });
  });

  it("opens paths as seen from a root", () => {
    mkdirSync(join(dir, "root/etc"), { recursive: true });
    writeFileSync(join(dir, "secret"), "outside");
    writeFileSync(join(dir, "root/secret"), "inside");
    symlinkSync("/../../secret", join(dir, "root/etc/link"));
    for (const path of ["/etc/link", "../secret", "etc/../../secret"]) {
      const fd = openInRoot(join(dir, "root"), path, O.RDONLY);
      assert.equal(readFileSync(fd, "utf8"), "inside");
      closeSync(fd);
    }
    const fd = openInRoot(join(dir, "root"), "new", O.WRONLY | O.CREAT | O.EXCL, 0o640);
    closeSync(fd);
    assert.equal(statSync(join(dir, "root/new")).mode & 0o777, 0o640);
  });

  it("locks, allocates and exchanges", () => {
    writeFileSync(join(dir, "a"), "a");
    writeFileSync(join(dir, "b"), "b");
    renameat2(join(dir, "a"), join(dir, "b"), RENAME.EXCHANGE);
    assert.equal(readFileSync(join(dir, "a"), "utf8"), "b");
    const [first, second] = [openSync(join(dir, "a"), "r+"), openSync(join(dir, "a"), "r+")];
    flock(first, LOCK.EX);
    assert.throws(() => flock(second, LOCK.EX | LOCK.NB), { code: "EAGAIN" });
    fallocate(first, 0, 0, 4096);
    assert.equal(statSync(join(dir, "a")).size, 4096);
    closeSync(first);
    closeSync(second);
  });

  it("writes aside to what is there, and only there", async () => {
    mkfifo(join(dir, "fifo"), 0o600);
    writeAside(join(dir, "missing"), "x");
    writeAside(join(dir, "fifo"), "hello");
    assert.equal(await readFile(join(dir, "fifo"), "utf8"), "hello");
    assert.ok(!existsSync(join(dir, "missing")));
  });

  describe("removing a tree", () => {
    it("takes all that is in it, however deep, and no more", async () => {
      const tree = join(dir, "tree");
      mkdirSync(join(tree, "a", ...Array.from({ length: 200 }, (_, level) => `level-${level}`)), { recursive: true });
      for (let file = 0; file < 3000; file++) writeFileSync(join(tree, `file ${file}`), "");
      mkfifo(join(tree, "fifo"), 0o600);
      mkdirSync(join(dir, "kept"));
      writeFileSync(join(dir, "kept/file"), "kept");
      symlinkSync(join(dir, "kept"), join(tree, "link"));
      await removeTree(tree);
      assert.deepEqual(readdirSync(dir), ["kept"]);
      assert.deepEqual(readdirSync(join(dir, "kept")), ["file"]);
      await removeTree(tree);
      await removeTree(join(dir, "kept/file"));
      await removeTree(join(dir, "nowhere/at/all"));
      assert.deepEqual(readdirSync(join(dir, "kept")), []);
    });

    it("removes a link itself", async () => {
      mkdirSync(join(dir, "kept"));
      symlinkSync("kept", join(dir, "link"));
      await removeTree(join(dir, "link"));
      assert.deepEqual(readdirSync(dir), ["kept"]);
    });

    it("leaves what is mounted in it", async () => {
      mkdirSync(join(dir, "tree/mounted"), { recursive: true });
      mkdirSync(join(dir, "kept"));
      writeFileSync(join(dir, "kept/file"), "kept");
      mount(join(dir, "kept"), join(dir, "tree/mounted"), "", MS.BIND);
      try {
        await assert.rejects(
          removeTree(join(dir, "tree")),
          ({ code, path }: NodeJS.ErrnoException) =>
            (code === "EXDEV" || code === "EBUSY") && path === join(dir, "tree"),
        );
        assert.equal(readFileSync(join(dir, "kept/file"), "utf8"), "kept");
      } finally {
        umount(join(dir, "tree/mounted"));
      }
    });
  });
});
