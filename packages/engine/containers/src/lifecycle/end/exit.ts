import { messageOf } from "@longshore/errdefs";
import { span, untraced, withParent } from "@longshore/telemetry";
import type { Container } from "../../model/container.ts";
import { type Context, emitContainer } from "../../model/context.ts";
import { endExecs } from "../../exec/exec.ts";
import { stopHealth } from "../../health/health.ts";
import { keepRecord } from "../../model/keep-record.ts";
import { releaseNetwork, withoutAddresses } from "../../networking/network-sandbox.ts";
import { removeContainer } from "../remove/remove.ts";
import { nextDelay, wantsRestart } from "./restart-policy.ts";
import { releaseShm } from "../../rootfs/shm.ts";
import { startLocked } from "../start/start.ts";
import { attempt, deleteTask } from "../task.ts";
import { parseTime } from "../../model/time.ts";
import { releaseMounts } from "../../rootfs/volume-mounts.ts";

/** The end of a container's init process, as containerd reports it. */
export interface TaskExit {
  pid: number;
  exitCode: number;
  /** RFC 3339 */
  exitedAt: string;
}

/** Brings a container's record in line with the exit of its process. One exit counts once, however often it is reported. */
export function handleExit(context: Context, container: Container, exit: TaskExit): Promise<void> {
  return withParent(container.trace, () => span("exit", () => applyExit(context, container, exit)));
}

async function applyExit(context: Context, container: Container, exit: TaskExit): Promise<void> {
  const goes = await container.lock.run(async () => {
    if (!container.alive || container.record.State.Pid !== exit.pid) return false;
    return await exitLocked(context, container, exit);
  });
  if (goes) {
    await attempt(context, "removing a container after its exit", () =>
      removeContainer(context, container, { force: false, removeVolumes: true }),
    );
  }
}

/** @returns whether it is to be removed now */
async function exitLocked(context: Context, container: Container, exit: TaskExit): Promise<boolean> {
  const { record } = container;
  const ranMs = Math.max(0, parseTime(exit.exitedAt) - parseTime(record.State.StartedAt));
  const restarts =
    !container.exitOnNext &&
    !container.removing &&
    wantsRestart(container.hostConfig.RestartPolicy, {
      exitCode: exit.exitCode,
      restartCount: record.RestartCount,
      manuallyStopped: record.HasBeenManuallyStopped,
    });
  container.ending = {
    State: {
      ...record.State,
      Running: restarts,
      Restarting: restarts,
      Paused: false,
      Pid: 0,
      ExitCode: exit.exitCode,
      FinishedAt: exit.exitedAt,
    },
    RestartCount: record.RestartCount + (restarts ? 1 : 0),
    NetworkSettings: withoutAddresses(container),
  };
  stopHealth(container);
  context.logFeeds.ended(container);
  let goes = false;
  try {
    await giveBack(context, container);
  } finally {
    // At one moment for everybody: those who look, those who listen, those who wait.
    const { State, ...rest } = container.ending;
    Object.assign(record, rest);
    Object.assign(record.State, State, { OOMKilled: record.State.OOMKilled, Health: record.State.Health });
    container.ending = undefined;
    goes = !restarts && container.goesWhenEnded;
    emitContainer(context, container, "die", {
      exitCode: String(exit.exitCode),
      execDuration: String(Math.floor(ranMs / 1000)),
    });
    container.stopped();
    if (restarts) untraced(() => scheduleRestart(context, container, ranMs));
  }
  return goes;
}

/** Ends what a run had: its task, its network, its mounts. */
async function giveBack(context: Context, container: Container): Promise<void> {
  await Promise.all([
    endTask(context, container),
    attempt(context, "releasing a network", () => releaseNetwork(context, container)),
  ]);
  container.trace = undefined;
  endExecs(container);
  releaseShm(container);
  await releaseMounts(context, container);
  if (container.unsaved) await keepRecord(context, container);
}

/** The code is on disk before containerd forgets it with the task. */
async function endTask(context: Context, container: Container): Promise<void> {
  if (!(await keepRecord(context, container))) return;
  await attempt(context, "removing an ended task", async () => {
    await span("delete", () => deleteTask(context, container.id));
    container.mayHaveTask = false;
  });
}

/** Starts the container again after the policy's delay, unless it is stopped before. */
export function scheduleRestart(context: Context, container: Container, ranMs: number): void {
  if (container.restart.held) return;
  container.restart.delayMs = nextDelay(container.restart.delayMs, ranMs);
  container.restart.timer = setTimeout(() => {
    void container.lock
      .run(async () => {
        if (container.record.State.Restarting) await startLocked(context, container, true);
      })
      .catch((error: unknown) => {
        context.log.warn({ container: container.id }, `a restart by policy failed: ${messageOf(error)}`);
      });
  }, container.restart.delayMs);
}

/** The kernel killed a process of the container for lack of memory. */
export function handleOom(context: Context, container: Container): void {
  container.record.State.OOMKilled = true;
  emitContainer(context, container, "oom");
  void attempt(context, "saving a container", () => container.lock.run(() => container.save()));
}
