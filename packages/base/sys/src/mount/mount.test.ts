import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  MNT,
  MS,
  type MountInfo,
  mount,
  mountAll,
  parseMountOptions,
  readMountInfo,
  umount,
  unmountAll,
  unmountTree,
} from "../index.ts";

describe("mounts", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "longshore-sys-"));
  });
  afterEach(() => {
    unmountAll(join(dir, "target"));
    rmSync(dir, { recursive: true, force: true });
  });

  it("sorts options into flags, propagation and data", () => {
    const parsed = parseMountOptions(["rbind", "ro", "rw", "nosuid", "rslave", "mode=755", "rro", "X-containerd.x=1"]);
    assert.deepEqual(parsed, {
      flags: MS.BIND | MS.REC | MS.NOSUID,
      propagation: [MS.SLAVE | MS.REC],
      recursiveAttributes: 1,
      data: ["mode=755"],
    });
  });

  it("names the error and both paths", () => {
    assert.throws(() => mount("tmpfs", join(dir, "absent"), "tmpfs"), {
      code: "ENOENT",
      path: "tmpfs",
      dest: join(dir, "absent"),
      message: /^ENOENT: no such file or directory, mount 'tmpfs' -> /,
    });
    assert.throws(() => umount(dir, MNT.DETACH), { code: "EINVAL" });
  });

  it("makes a read-only bind mount and undoes all when a later one fails", () => {
    for (const name of ["source", "target"]) mkdirSync(join(dir, name));
    mountAll([{ type: "bind", source: join(dir, "source"), options: ["rbind", "ro"] }], join(dir, "target"));
    assert.throws(() => writeFileSync(join(dir, "target/x"), ""), { code: "EROFS" });
    umount(join(dir, "target"));
    const mounts = (): MountInfo[] => readMountInfo().filter(({ mountPoint }) => mountPoint.startsWith(dir));
    const before = mounts();
    const bad = [
      { type: "tmpfs", source: "tmpfs", options: ["size=1m"] },
      { type: "tmpfs", source: "tmpfs", target: "/absent" },
    ];
    assert.throws(() => mountAll(bad, join(dir, "target")), { code: "ENOENT" });
    assert.deepEqual(mounts(), before);
  });

  it("makes a mount with a target of its own read-only", () => {
    for (const name of ["source", "target", "target/below"]) mkdirSync(join(dir, name));
    mountAll(
      [
        { type: "bind", source: join(dir, "target"), options: ["rbind"] },
        { type: "bind", source: join(dir, "source"), target: "/below", options: ["bind", "ro"] },
      ],
      join(dir, "target"),
    );
    assert.throws(() => writeFileSync(join(dir, "target/below/x"), ""), { code: "EROFS" });
    unmountAll(join(dir, "target/below"));
  });

  it("keeps a mount's own target inside the root", () => {
    for (const name of ["source", "target", "target/etc", "outside"]) mkdirSync(join(dir, name));
    writeFileSync(join(dir, "source/here"), "");
    symlinkSync(join(dir, "outside"), join(dir, "target/link"));
    assert.throws(
      () =>
        mountAll(
          [{ type: "bind", source: join(dir, "source"), target: "link", options: ["bind"] }],
          join(dir, "target"),
        ),
      { code: "ENOENT" },
    );
    mountAll(
      [{ type: "bind", source: join(dir, "source"), target: "/../etc", options: ["bind"] }],
      join(dir, "target"),
    );
    assert.ok(statSync(join(dir, "target/etc/here")).isFile());
    umount(join(dir, "target/etc"));
  });

  it("undoes what lies below inside the root, wherever a link there leads on the host", () => {
    for (const name of ["source", "root", "root/inside", "outside"]) mkdirSync(join(dir, name));
    symlinkSync("/outside", join(dir, "root/link"));
    mkdirSync(join(dir, "root/outside"));
    // The same link read on the host leads to what somebody else has mounted.
    mount("none", join(dir, "outside"), "tmpfs");
    rmSync(join(dir, "root/link"));
    symlinkSync(join(dir, "outside"), join(dir, "root/link"));
    mkdirSync(join(dir, "root", dir, "outside"), { recursive: true });
    try {
      const bind = { type: "bind", source: join(dir, "source"), options: ["bind"] };
      assert.throws(
        () =>
          mountAll(
            [
              { ...bind, target: "/link" },
              { ...bind, target: "/missing" },
            ],
            join(dir, "root"),
          ),
        { code: "ENOENT" },
      );
      const mounted = readMountInfo().map(({ mountPoint }) => mountPoint);
      assert.ok(mounted.includes(join(dir, "outside")));
      assert.ok(!mounted.includes(join(dir, "root", dir, "outside")));
    } finally {
      umount(join(dir, "outside"));
    }
  });

  it("unmounts a tree of copies without what these are copies of", () => {
    for (const name of ["source", "target"]) mkdirSync(join(dir, name));
    mount("none", join(dir, "source"), "tmpfs");
    try {
      mount("none", join(dir, "source"), undefined, MS.SHARED);
      mkdirSync(join(dir, "source/below"));
      mount("none", join(dir, "source/below"), "tmpfs");
      mountAll([{ type: "bind", source: join(dir, "source"), options: ["rbind"] }], join(dir, "target"));
      unmountTree(join(dir, "target"));
      const mounted = readMountInfo()
        .filter(({ mountPoint }) => mountPoint.startsWith(dir))
        .map(({ mountPoint, type }) => `${type} ${mountPoint}`);
      assert.deepEqual(mounted, [`tmpfs ${dir}/source`, `tmpfs ${dir}/source/below`]);
    } finally {
      unmountTree(join(dir, "source"));
    }
    unmountTree(join(dir, "nowhere"));
  });

  it("reads the table of mounts", () => {
    const [entry] = readMountInfo(
      "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:7 - overlay over\\040lay rw,lowerdir=/a\\134:b,upperdir=/u\n",
    );
    assert.deepEqual(entry, {
      device: "98:0",
      root: "/mnt1",
      mountPoint: "/mnt 2",
      optional: ["master:1", "shared:7"],
      type: "overlay",
      options: ["rw", "lowerdir=/a\\:b", "upperdir=/u"],
    });
  });

  it("mounts an overlay of more layers than a page names", () => {
    const layers = Array.from({ length: 100 }, (_, i) =>
      join(dir, "snapshots-with-quite-a-long-name", String(i), "fs"),
    );
    for (const layer of layers) mkdirSync(layer, { recursive: true });
    for (const name of ["target", "upper", "work"]) mkdirSync(join(dir, name));
    writeFileSync(join(layers[0]!, "file"), "top");
    writeFileSync(join(layers[99]!, "file"), "bottom");
    writeFileSync(join(layers[99]!, "last"), "");
    mountAll(
      [
        {
          type: "overlay",
          source: "overlay",
          options: [`lowerdir=${layers.join(":")}`, `upperdir=${dir}/upper`, `workdir=${dir}/work`],
        },
      ],
      join(dir, "target"),
    );
    assert.equal(readFileSync(join(dir, "target/file"), "utf8"), "top");
    assert.ok(statSync(join(dir, "target/last")).isFile());
  });
});
