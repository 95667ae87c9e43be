import { readFile } from "node:fs/promises";
import { Conflict, isKind } from "@longshore/errdefs";
import { Status } from "@longshore/proto/containerd/v1/types/task";
import type { Container } from "../../model/container.ts";
import type { Context } from "../../model/context.ts";

/**
 * Whether the container's process has ended, though the news of it may still be on its way: between the two whatever
 * looks into the process, stops it or changes it fails, in many words, and the container is what it will be said to be.
 */
export async function hasEnded(context: Pick<Context, "containerd">, container: Container): Promise<boolean> {
  if (!container.alive) return true;
  if (await isDead(container.record.State.Pid)) return true;
  try {
    const { process } = await context.containerd.tasks.get({ containerId: container.id });
    return process?.status === Status.STOPPED;
  } catch (error) {
    return isKind(error, "NotFound");
  }
}

/** Whether a process is gone, or waits to be reaped. */
async function isDead(pid: number): Promise<boolean> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "latin1");
    // The name before it is in brackets, and may have some itself.
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT" || code === "ESRCH";
  }
}

/** What Docker says of a container that would have to run. */
function notRunning(container: Container, cause: unknown): Conflict {
  return new Conflict(`container ${container.id} is not running`, { cause });
}

/**
 * Does what needs the container's process.
 * @throws Conflict `container … is not running` in place of whatever its failure says, when the process has ended meanwhile
 */
export async function whileAlive<T>(
  context: Pick<Context, "containerd">,
  container: Container,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (await hasEnded(context, container)) throw notRunning(container, error);
    throw error;
  }
}
