import type { Container } from "../model/container.ts";
import type { Context } from "../model/context.ts";

/** Bytes that the container wrote, and all its file system's. */
export async function sizesOf(
  context: Context,
  container: Container,
): Promise<{ SizeRw?: number; SizeRootFs: number }> {
  const { snapshots } = context.containerd;
  const { snapshotter } = context.settings;
  const own = Number((await snapshots.usage({ snapshotter, key: container.id })).size);
  let total = own;
  let key = (await snapshots.stat({ snapshotter, key: container.id })).info?.parent ?? "";
  while (key !== "") {
    total += Number((await snapshots.usage({ snapshotter, key })).size);
    key = (await snapshots.stat({ snapshotter, key })).info?.parent ?? "";
  }
  return { ...(own === 0 ? {} : { SizeRw: own }), SizeRootFs: total };
}
