import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MountSpec, mountAll, readMountInfo, unmountTree } from "@longshore/sys";
import type { Context } from "../model/context.ts";
import { withRootfs } from "./rootfs.ts";

describe("a container's own file system", () => {
  let dir = "";
  let context: Context;
  let overlay: MountSpec;
  const deviceOf = (path: string): string | undefined =>
    readMountInfo().find(({ mountPoint }) => mountPoint === path)?.device;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "root fs-"));
    for (const name of ["upper", "work", "lower/proc", "bundle/rootfs"])
      mkdirSync(join(dir, name), { recursive: true });
    overlay = {
      type: "overlay",
      source: "overlay",
      options: [`workdir=${dir}/work`, `upperdir=${dir}/upper`, `lowerdir=${dir}/lower`],
    };
    const snapshots = { mounts: () => Promise.resolve({ mounts: [{ ...overlay, target: "" }] }) };
    context = {
      settings: { execRoot: dir, snapshotter: "overlayfs" },
      containerd: { snapshots },
    } as unknown as Context;
  });
  afterEach(() => {
    unmountTree(join(dir, "bundle/rootfs"));
    rmSync(dir, { recursive: true });
  });

  it("is the one that is mounted already, without what is mounted in it", async () => {
    mountAll([overlay], join(dir, "bundle/rootfs"));
    mountAll([{ type: "tmpfs", source: "none" }], join(dir, "bundle/rootfs/proc"));
    writeFileSync(join(dir, "bundle/rootfs/proc/kernel"), "");
    await withRootfs(context, "id", async (root) => {
      assert.equal(deviceOf(root), deviceOf(join(dir, "bundle/rootfs")));
      assert.ok(!existsSync(join(root, "proc/kernel")));
      writeFileSync(join(root, "new"), "");
    });
    assert.ok(existsSync(join(dir, "upper/new")));
    assert.deepEqual(readdirSync(join(dir, "mnt")), []);
  });

  it("is mounted when it is not, or no more, and once for several at a time", async () => {
    mountAll([overlay], join(dir, "bundle/rootfs"));
    // What covers a mount point is not the file system that was mounted there.
    mountAll([{ type: "tmpfs", source: "none" }], join(dir, "bundle/rootfs"));
    unmountTree(join(dir, "bundle/rootfs"));
    await withRootfs(context, "id", (one) =>
      withRootfs(context, "id", async (other) => assert.equal(deviceOf(one), deviceOf(other))),
    );
    assert.deepEqual(readdirSync(join(dir, "mnt")), []);
    assert.equal(readMountInfo().filter(({ mountPoint }) => mountPoint.startsWith(dir)).length, 0);
  });
});
