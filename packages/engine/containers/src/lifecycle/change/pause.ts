import { Conflict, messageOf, Unknown } from "@longshore/errdefs";
import { Status } from "@longshore/proto/containerd/v1/types/task";
import type { Container } from "../../model/container.ts";
import { type Context, emitContainer } from "../../model/context.ts";
import { freeze, thaw } from "./freeze.ts";
import { hasEnded, whileAlive } from "../end/has-ended.ts";
import { startHealth, stopHealth } from "../../health/health.ts";
import { keepRecord } from "../../model/keep-record.ts";
import { attempt } from "../task.ts";

async function freezeOf(context: Context, container: Container): Promise<void> {
  try {
    await freeze(context.containerd.tasks, container.id);
  } catch (error) {
    throw new Unknown(`cannot pause container ${container.id}: ${messageOf(error)}`, { cause: error });
  }
}

/** Freezes all processes. @throws Conflict unless it runs and is not paused */
export async function pauseContainer(context: Context, container: Container): Promise<void> {
  await container.lock.run(async () => {
    const { State } = container.record;
    if (!State.Running) throw new Conflict(`container ${container.id} is not running`);
    if (State.Paused) throw new Conflict(`Container ${container.id} is already paused`);
    if (State.Restarting)
      throw new Conflict(`Container ${container.id} is restarting, wait until the container is running`);
    await whileAlive(context, container, () => freezeOf(context, container));
    State.Paused = true;
    stopHealth(container);
    await keepRecord(context, container);
    emitContainer(context, container, "pause");
  });
}

/** @throws Unknown `Container … is not paused`, which Docker answers with status 500 */
export async function unpauseContainer(context: Context, container: Container): Promise<void> {
  await container.lock.run(async () => {
    const { State } = container.record;
    if (!State.Paused) throw new Unknown(`Container ${container.id} is not paused`);
    try {
      await thaw(context.containerd.tasks, container.id);
    } catch (error) {
      if (await hasEnded(context, container))
        throw new Unknown(`Container ${container.id} is not paused`, { cause: error });
      throw new Unknown(`cannot resume container ${container.id}: ${messageOf(error)}`, { cause: error });
    }
    State.Paused = false;
    startHealth(context, container);
    delete container.record.PausedForCommit;
    await keepRecord(context, container);
    emitContainer(context, container, "unpause");
  });
}

/**
 * Calls `use` while the container's processes stand still, unless they do not run or stand still
 * already. Whatever is killed meanwhile, they go on: `resync` sees to it.
 */
export async function whilePaused<T>(context: Context, container: Container, use: () => Promise<T>): Promise<T> {
  const { record } = container;
  let mine = false;
  try {
    await container.lock.run(async () => {
      if (!container.alive || record.State.Paused) return;
      mine = true;
      container.committing = true;
      record.PausedForCommit = true;
      await container.save();
      try {
        await freezeOf(context, container);
      } catch (error) {
        // Nothing of it moves any more.
        if (!(await hasEnded(context, container))) throw error;
        mine = container.committing = false;
        delete record.PausedForCommit;
        return;
      }
      record.State.Paused = true;
      stopHealth(container);
      await container.save();
      emitContainer(context, container, "pause");
    });
    return await use();
  } finally {
    if (mine) {
      container.committing = false;
      await attempt(context, "resuming a container after a commit", () => settlePause(context, container));
    }
  }
}

/**
 * Brings what the record says of a pause in line with the task: a kill may have come between the
 * two. A pause for a commit that nobody makes any more is ended.
 */
export async function settlePause(context: Context, container: Container): Promise<void> {
  const { record } = container;
  const { tasks } = context.containerd;
  await container.lock.run(async () => {
    if (container.committing || (await hasEnded(context, container))) return;
    const { process } = await tasks.get({ containerId: container.id });
    const paused = process?.status === Status.PAUSED;
    const ends = record.PausedForCommit === true;
    if (ends && paused) await thaw(tasks, container.id);
    const shown = record.State.Paused;
    record.State.Paused = paused && !ends;
    delete record.PausedForCommit;
    await container.save();
    if (shown && !record.State.Paused) {
      startHealth(context, container);
      emitContainer(context, container, "unpause");
    }
  });
}

/** Sets the size of the terminal, in characters. @throws Conflict unless it runs */
export async function resizeContainer(
  context: Context,
  container: Container,
  height: number,
  width: number,
): Promise<void> {
  if (!container.alive) throw new Conflict(`container ${container.id} is not running`);
  await whileAlive(context, container, async () => {
    try {
      await context.containerd.tasks.resizePty({ containerId: container.id, height, width });
    } catch (error) {
      throw new Unknown(messageOf(error), { cause: error });
    }
  });
  emitContainer(context, container, "resize", { height: String(height), width: String(width) });
}
