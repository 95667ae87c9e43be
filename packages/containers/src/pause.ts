import { Conflict, messageOf, Unknown } from "@longshore/errdefs";
import type { Container } from "./container.ts";
import { type Context, emitContainer } from "./context.ts";

/** Freezes all processes. @throws Conflict unless it runs and is not paused */
export async function pauseContainer(context: Context, container: Container): Promise<void> {
  await container.lock.run(async () => {
    const { State } = container.record;
    if (!State.Running) throw new Conflict(`container ${container.id} is not running`);
    if (State.Paused) throw new Conflict(`Container ${container.id} is already paused`);
    if (State.Restarting) throw new Conflict(`Container ${container.id} is restarting, wait until the container is running`);
    try {
      await context.containerd.tasks.pause({ containerId: container.id });
    } catch (error) {
      throw new Unknown(`cannot pause container ${container.id}: ${messageOf(error)}`, { cause: error });
    }
    State.Paused = true;
    await container.save();
    emitContainer(context, container, "pause");
  });
}

/** @throws Unknown `Container … is not paused`, which Docker answers with status 500 */
export async function unpauseContainer(context: Context, container: Container): Promise<void> {
  await container.lock.run(async () => {
    const { State } = container.record;
    if (!State.Paused) throw new Unknown(`Container ${container.id} is not paused`);
    try {
      await context.containerd.tasks.resume({ containerId: container.id });
    } catch (error) {
      throw new Unknown(`cannot resume container ${container.id}: ${messageOf(error)}`, { cause: error });
    }
    State.Paused = false;
    await container.save();
    emitContainer(context, container, "unpause");
  });
}

/** Sets the size of the terminal, in characters. @throws Conflict unless it runs */
export async function resizeContainer(context: Context, container: Container, height: number, width: number): Promise<void> {
  if (!container.alive) throw new Conflict(`container ${container.id} is not running`);
  try {
    await context.containerd.tasks.resizePty({ containerId: container.id, height, width });
  } catch (error) {
    throw new Unknown(messageOf(error), { cause: error });
  }
  emitContainer(context, container, "resize", { height: String(height), width: String(width) });
}
