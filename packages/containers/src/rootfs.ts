import { mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { mountAll, unmountAll, type MountSpec } from "@longshore/sys";
import type { Container } from "./container.ts";
import type { Context } from "./context.ts";

let sequence = 0;

/** The mounts that make the container's root file system, from containerd. */
export async function rootMounts(context: Context, id: string): Promise<MountSpec[]> {
  const { mounts } = await context.containerd.snapshots.mounts({ snapshotter: context.settings.snapshotter, key: id });
  return mounts.map(({ type, source, target, options }) => ({ type, source, target, options }));
}

/**
 * Calls `use` with a path at which mounts are mounted for that long, in a directory that only
 * root can enter.
 */
export async function withMounts<T>(context: Context, mounts: readonly MountSpec[], use: (path: string) => Promise<T>): Promise<T> {
  const path = join(context.settings.execRoot, "mnt", `${process.pid}-${sequence++}`);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  try {
    mountAll(mounts, path);
    return await use(path);
  } finally {
    unmountAll(path);
    rmdirSync(path);
  }
}

/**
 * Calls `use` with the container's root: that of its process while it runs, with all its mounts;
 * else its file system mounted for that long.
 */
export async function withRoot<T>(context: Context, container: Container, use: (path: string) => Promise<T>): Promise<T> {
  if (container.alive) return use(`/proc/${container.record.State.Pid}/root`);
  return withMounts(context, await rootMounts(context, container.id), use);
}
