import type { ContainerdClient } from "@longshore/containerd-client";
import { Status } from "@longshore/proto/containerd/v1/types/task";

type Tasks = Pick<ContainerdClient["tasks"], "get" | "pause" | "resume">;

async function isIn(tasks: Tasks, containerId: string, status: Status): Promise<boolean> {
  const { process } = await tasks.get({ containerId });
  return process?.status === status;
}

/**
 * Brings all processes of a task to a stand. Those that stand already are as they should be: an
 * earlier call did it, and its answer was lost with the containerd that was to give it.
 * @throws what containerd says of the call, when they do not stand
 */
export async function freeze(tasks: Tasks, containerId: string): Promise<void> {
  try {
    await tasks.pause({ containerId });
  } catch (error) {
    if (!(await isIn(tasks, containerId, Status.PAUSED).catch(() => false))) throw error;
  }
}

/**
 * Lets the processes of a frozen task go on; those that do already are as they should be.
 * @throws what containerd says of the call, when they do not run
 */
export async function thaw(tasks: Tasks, containerId: string): Promise<void> {
  try {
    await tasks.resume({ containerId });
  } catch (error) {
    if (!(await isIn(tasks, containerId, Status.RUNNING).catch(() => false))) throw error;
  }
}
