import { randomUUID } from "node:crypto";
import type { Layers } from "@longshore/archive";
import type { Container } from "../model/container.ts";
import type { Context } from "../model/context.ts";
import { withLease } from "../lifecycle/lease.ts";
import { rootMounts } from "../rootfs/rootfs.ts";

const kinds = { modify: 0, add: 1, delete: 2 } as const;

/** What the container changed in its file system; `null` when nothing. */
export async function containerChanges(
  context: Context,
  layers: Layers,
  container: Container,
): Promise<{ Path: string; Kind: 0 | 1 | 2 }[] | null> {
  const { snapshots } = context.containerd;
  const { snapshotter } = context.settings;
  const parent = (await snapshots.stat({ snapshotter, key: container.id })).info?.parent ?? "";
  return withLease(context, async (options) => {
    const key = `longshore-diff-${randomUUID()}`;
    const { mounts } = await snapshots.view({ snapshotter, key, parent }, options);
    try {
      const left = mounts.map(({ type, source, target, options: list }) => ({ type, source, target, options: list }));
      const changes = await layers.changes(left, await rootMounts(context, container.id));
      return changes.length === 0 ? null : changes.map(({ kind, path }) => ({ Path: path, Kind: kinds[kind] }));
    } finally {
      await snapshots.remove({ snapshotter, key });
    }
  });
}
