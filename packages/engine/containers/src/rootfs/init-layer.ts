import { randomUUID } from "node:crypto";
import { chmodSync, closeSync, mkdirSync, openSync, symlinkSync } from "node:fs";
import { isKind } from "@longshore/errdefs";
import { O, openInRoot } from "@longshore/sys";
import type { Context } from "../model/context.ts";
import { withLease } from "../lifecycle/lease.ts";
import { withMounts } from "./rootfs.ts";

/** What runtimes mount on in every container, path by path from the root. */
const directories = ["dev", "dev/pts", "dev/shm", "proc", "sys", "etc"];
const files = [".dockerenv", "dev/console", "etc/hosts", "etc/hostname", "etc/resolv.conf"];
const links: Record<string, string> = { "etc/mtab": "/proc/mounts" };

/** The name of the snapshot that containers of an image are made on, by the image's chain ID. */
export function initLayerName(chainId: string): string {
  return `${chainId === "" ? "scratch" : chainId}-longshore-init`;
}

/**
 * Names the snapshot that containers of an image are made on: the image's layers and a thin one
 * with the mount points that every container needs. So these are no changes of the container,
 * neither for `docker diff` nor for a commit. It is made once for each image and shared.
 * @param chainId of the image; empty for one without layers
 */
export async function ensureInitLayer(context: Context, chainId: string): Promise<string> {
  const { snapshots } = context.containerd;
  const { snapshotter } = context.settings;
  const name = initLayerName(chainId);
  try {
    await snapshots.stat({ snapshotter, key: name });
    return name;
  } catch (error) {
    if (!isKind(error, "NotFound")) throw error;
  }
  await withLease(context, async (options) => {
    const key = `longshore-init-${randomUUID()}`;
    const { mounts } = await snapshots.prepare({ snapshotter, key, parent: chainId }, options);
    try {
      await withMounts(
        context,
        mounts.map(({ type, source, target, options: list }) => ({ type, source, target, options: list })),
        async (root) => fill(root),
      );
      await snapshots.commit({ snapshotter, name, key }, options);
    } catch (error) {
      await snapshots.remove({ snapshotter, key });
      // Another container of the image was first.
      if (!isKind(error, "AlreadyExists")) throw error;
    }
  });
  return name;
}

/** Makes what is missing. Each parent is opened inside the root, since an image may bring links there. */
function fill(root: string): void {
  // Whatever mode an image's archive gives its own folder, every user may enter the root.
  chmodSync(root, 0o755);
  for (const path of directories) below(root, path, (at) => mkdirSync(at, { mode: 0o755 }));
  for (const path of files) below(root, path, (at) => closeSync(openSync(at, "wx", 0o755)));
  for (const [path, target] of Object.entries(links)) below(root, path, (at) => symlinkSync(target, at));
}

function below(root: string, path: string, make: (at: string) => void): void {
  const slash = path.lastIndexOf("/");
  let fd: number;
  try {
    fd = openInRoot(root, slash < 0 ? "/" : path.slice(0, slash), O.PATH | O.DIRECTORY);
  } catch (error) {
    // An image with a file in that place gets no mount point there.
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return;
    throw error;
  }
  try {
    make(`/proc/self/fd/${fd}/${path.slice(slash + 1)}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    closeSync(fd);
  }
}
