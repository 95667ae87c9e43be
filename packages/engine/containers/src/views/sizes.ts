import { isKind } from "@longshore/errdefs";
import type { Container } from "../model/container.ts";
import type { Context } from "../model/context.ts";

/**
 * Bytes that the container wrote, and all its file system's. A snapshot that is lost, or is being removed just now, has
 * none, as with Docker: a list of all containers does not fail because of one.
 */
export async function sizesOf(
  context: Context,
  container: Container,
): Promise<{ SizeRw?: number; SizeRootFs: number }> {
  const chain = new Map<string, number>();
  let key = container.id;
  while (key !== "" && !chain.has(key)) {
    const { size, parent } = await snapshotOf(context, key);
    chain.set(key, size);
    key = parent;
  }
  const own = chain.get(container.id) ?? 0;
  const total = [...chain.values()].reduce((sum, size) => sum + size, 0);
  return { ...(own === 0 ? {} : { SizeRw: own }), SizeRootFs: total };
}

async function snapshotOf(context: Context, key: string): Promise<{ size: number; parent: string }> {
  const { snapshots } = context.containerd;
  const { snapshotter } = context.settings;
  try {
    const { size } = await snapshots.usage({ snapshotter, key });
    const { info } = await snapshots.stat({ snapshotter, key });
    return { size: Number(size), parent: info?.parent ?? "" };
  } catch (error) {
    if (!isKind(error, "NotFound")) throw error;
    return { size: 0, parent: "" };
  }
}
