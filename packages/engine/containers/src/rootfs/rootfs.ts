import { closeSync, fstatSync, mkdirSync, openSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { major, minor, mount, mountAll, type MountSpec, MS, O, readMountInfo, unmountTree } from "@longshore/sys";
import type { Container } from "../model/container.ts";
import type { Context } from "../model/context.ts";

let sequence = 0;

/** The mounts that make the container's root file system, from containerd. */
export async function rootMounts(context: Context, id: string): Promise<MountSpec[]> {
  const { mounts } = await context.containerd.snapshots.mounts({ snapshotter: context.settings.snapshotter, key: id });
  return mounts.map(({ type, source, target, options }) => ({ type, source, target, options }));
}

async function withPlace<T>(
  context: Context,
  place: (path: string) => void,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const path = join(context.settings.execRoot, "mnt", `${process.pid}-${sequence++}`);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  try {
    place(path);
    return await use(path);
  } finally {
    unmountTree(path);
    rmdirSync(path);
  }
}

/**
 * Calls `use` with a path at which mounts are mounted for that long, in a directory that only
 * root can enter.
 */
export async function withMounts<T>(
  context: Context,
  mounts: readonly MountSpec[],
  use: (path: string) => Promise<T>,
): Promise<T> {
  return withPlace(context, (path) => mountAll(mounts, path), use);
}

/**
 * Calls `use` with the container's own file system at a path for that long, whether it runs or not, and nothing of
 * what is mounted in it. What is mounted on it there, nobody else sees.
 */
export async function withRootfs<T>(context: Context, id: string, use: (path: string) => Promise<T>): Promise<T> {
  const mounts = await rootMounts(context, id);
  const place = (path: string): void => {
    if (!bindMounted(mounts, path)) mountAll(mounts, path);
    mount("none", path, undefined, MS.PRIVATE);
  };
  return withPlace(context, place, use);
}

/**
 * Binds an overlay that is mounted already, by its shim or for another request: two with one upper folder are
 * none that the kernel vouches for.
 * @returns false when it is mounted nowhere
 */
function bindMounted(mounts: readonly MountSpec[], path: string): boolean {
  const [overlay, ...more] = mounts;
  const upper = overlay?.options?.find((option) => option.startsWith("upperdir="));
  if (overlay?.type !== "overlay" || more.length > 0 || upper === undefined) return false;
  const known = readMountInfo().filter(
    ({ type, root, options }) => type === "overlay" && root === "/" && options.includes(upper),
  );
  return known.some(({ mountPoint, device }) => bindHeld(mountPoint, device, path));
}

/** Binds what is at `mountPoint` if it is the file system `device`: another may be there by now, or none. */
function bindHeld(mountPoint: string, device: string, path: string): boolean {
  let fd: number | undefined;
  try {
    fd = openSync(mountPoint, O.PATH | O.DIRECTORY);
    const { dev } = fstatSync(fd);
    if (`${major(dev)}:${minor(dev)}` !== device) return false;
    mount(`/proc/self/fd/${fd}`, path, undefined, MS.BIND);
    return true;
  } catch (error) {
    // Unmounted since it was looked up.
    if (["ENOENT", "ENOTDIR", "EINVAL"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/**
 * Calls `use` with the container's root: that of its process while it runs, with all its mounts;
 * else its file system mounted for that long.
 */
export async function withRoot<T>(
  context: Context,
  container: Container,
  use: (path: string) => Promise<T>,
): Promise<T> {
  if (container.alive) return use(`/proc/${container.record.State.Pid}/root`);
  return withMounts(context, await rootMounts(context, container.id), use);
}
