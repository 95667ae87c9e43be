import type { Container } from "../../model/container.ts";
import type { Context } from "../../model/context.ts";
import { removeContainer } from "./remove.ts";
import { attempt } from "../task.ts";

/** Whether a removal was begun and cut short, or never begun though the container ended and goes by itself then. */
export function isRemovalDue(container: Container): boolean {
  const { HasBeenStartedBefore, State } = container.record;
  if (container.removing || State.Running) return false;
  return State.RemovalInProgress || State.Dead || (container.goesWhenEnded && HasBeenStartedBefore);
}

/** Removes such a container; its anonymous volumes go only if they were to go with it. */
export async function finishRemoval(context: Context, container: Container): Promise<void> {
  const removeVolumes = container.record.RemovingVolumes ?? container.hostConfig.AutoRemove;
  await attempt(context, `removing container ${container.id}`, () =>
    removeContainer(context, container, { force: true, removeVolumes }),
  );
}

/** Finishes all removals that an absence of containerd cut short. */
export async function finishRemovals(context: Context): Promise<void> {
  await Promise.all(
    context.store
      .list()
      .filter(isRemovalDue)
      .map((container) => finishRemoval(context, container)),
  );
}
