import type { Container } from "../../model/container.ts";
import type { Context } from "../../model/context.ts";
import { removeContainer } from "./remove.ts";
import { sizesOf } from "../../views/sizes.ts";
import { attempt } from "../task.ts";

/** Removes the stopped containers that `matches` accepts. */
export async function pruneContainers(
  context: Context,
  matches: (container: Container) => boolean,
): Promise<{ ContainersDeleted: string[] | null; SpaceReclaimed: number }> {
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const container of context.store.list()) {
    if (container.record.State.Running || !matches(container)) continue;
    await attempt(context, `pruning container ${container.id}`, async () => {
      const { SizeRw = 0 } = await sizesOf(context, container);
      await removeContainer(context, container, { force: false, removeVolumes: false });
      reclaimed += SizeRw;
      deleted.push(container.id);
    });
  }
  context.emit("container", "prune", { ID: "", Attributes: { reclaimed: String(reclaimed) } });
  return { ContainersDeleted: deleted.length === 0 ? null : deleted, SpaceReclaimed: reclaimed };
}
