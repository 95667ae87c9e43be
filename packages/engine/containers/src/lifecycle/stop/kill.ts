import { Conflict, InvalidArgument, isKind, messageOf, Unknown } from "@longshore/errdefs";
import { Status } from "@longshore/proto/containerd/v1/types/task";
import type { Container } from "../../model/container.ts";
import { type Context, emitContainer } from "../../model/context.ts";
import { hasEnded } from "../end/has-ended.ts";
import { keepRecord } from "../../model/keep-record.ts";
import { cancelRestart } from "../end/restart-policy.ts";
import { parseSignal } from "@longshore/go-values";
import { SIGKILL } from "./signal.ts";
import type { ContainerFinder } from "../../model/store.ts";
import { now } from "../../model/time.ts";

/** The signal that asks the container to end: its own, or SIGTERM. */
export function stopSignalOf(container: Container): number {
  return parseSignal(container.record.Config.StopSignal || "SIGTERM");
}

/**
 * Sends a signal to the container's init. A signal that is to end it also ends its restart policy.
 * @throws Conflict `container … is not running`
 */
export async function sendSignal(context: Context, container: Container, signal: number): Promise<void> {
  await container.lock.run(async () => {
    const { record } = container;
    if (!record.State.Running) throw new Conflict(`container ${container.id} is not running`);
    if (record.State.Restarting) {
      endRestarting(container);
      await keepRecord(context, container);
      return;
    }
    const ends = signal === SIGKILL || signal === stopSignalOf(container) || !record.Config.StopSignal;
    const paused = record.State.Paused;
    if (ends) container.exitOnNext = true;
    if (!record.HasBeenManuallyStopped) {
      record.HasBeenManuallyStopped = true;
      await keepRecord(context, container);
    }
    try {
      await context.containerd.tasks.kill({ containerId: container.id, signal });
      // A frozen process would see the signal only when it is resumed.
      if (ends && paused) await thaw(context, container.id);
    } catch (error) {
      // It has ended; the report of it is on its way.
      if (!isKind(error, "NotFound") && !(await hasEnded(context, container)))
        throw new Unknown(messageOf(error), { cause: error });
    }
    emitContainer(context, container, "kill", { signal: String(signal) });
  });
}

/** Resumes a process that was sent a signal; SIGKILL may have ended it before, or an earlier signal resumed it. */
async function thaw(context: Context, id: string): Promise<void> {
  const { tasks } = context.containerd;
  try {
    await tasks.resume({ containerId: id });
  } catch (error) {
    const { process } = await tasks.get({ containerId: id });
    if (process?.status === Status.PAUSED || process?.status === Status.PAUSING) throw error;
  }
}

/** A container that waits for its next run has ended already. */
function endRestarting(container: Container): void {
  cancelRestart(container);
  container.record.HasBeenManuallyStopped = true;
  Object.assign(container.record.State, {
    Running: false,
    Restarting: false,
    FinishedAt: container.record.State.FinishedAt || now(),
  });
  container.stopped();
}

/**
 * `POST /containers/{id}/kill`: an empty signal is SIGKILL, and waits for the end.
 * @throws with the prefix `cannot kill container: X: `
 */
export async function killContainer(
  context: Context,
  containers: ContainerFinder,
  name: string,
  signalText: string,
): Promise<void> {
  try {
    const signal = signalText === "" ? SIGKILL : parseSignal(signalText);
    if (signal > 64) throw new InvalidArgument(`the linux daemon does not support signal ${signal}`);
    const container = containers.get(name);
    const gone = container.wait("not-running");
    await sendSignal(context, container, signal);
    if (signal === SIGKILL) await gone;
  } catch (error) {
    throw prefixed(`cannot kill container: ${name}: `, error);
  }
}

/** The same kind of error with a longer message. */
export function prefixed(prefix: string, error: unknown): Error {
  if (!(error instanceof Error)) return new Unknown(prefix + String(error));
  const Kind = error.constructor as new (message: string, options?: { cause?: unknown }) => Error;
  return isKind(error, "Unknown")
    ? new Unknown(prefix + error.message, { cause: error })
    : new Kind(prefix + error.message, { cause: error });
}
