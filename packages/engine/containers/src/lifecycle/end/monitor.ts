import { setTimeout as sleep } from "node:timers/promises";
import { isKind, messageOf } from "@longshore/errdefs";
import { unpackAny } from "@longshore/proto";
import { TaskExitSchema, TaskOOMSchema } from "@longshore/proto/containerd/events/events";
import { Status } from "@longshore/proto/containerd/v1/types/task";
import type { Envelope } from "@longshore/proto/containerd/types/types";
import type { Container } from "../../model/container.ts";
import type { Context } from "../../model/context.ts";
import { handleExecExit } from "../../exec/exec.ts";
import { handleExit, handleOom } from "./exit.ts";
import { removeLeftovers } from "../../boot/leftovers.ts";
import { finishRemovals } from "../remove/removals.ts";
import { settlePause } from "../change/pause.ts";
import { fromTimestamp } from "../../model/time.ts";

const firstRetryMs = 50;
const maxRetryMs = 1000;
/** A subscription gives no sign when it has begun: what fell between is found by asking again a little later. */
const settleMs = 1000;
/** Events may be dropped for a listener that is slow; nothing stays unseen for longer than this. */
const sweepMs = 30_000;

/**
 * Follows containerd's task events, and compares with its tasks whenever events may have been
 * missed: at the start, after each reconnection, and from time to time.
 */
export class TaskMonitor {
  readonly #context: Context;
  readonly #stopped = new AbortController();
  #loops: Promise<unknown> = Promise.resolve();

  constructor(context: Context) {
    this.#context = context;
  }

  start(): void {
    this.#loops = Promise.all([this.#follow(), this.#sweep()]);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#loops.catch(() => undefined);
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopped;
    let retryMs = firstRetryMs;
    while (!signal.aborted) {
      const settled = new AbortController();
      try {
        const events = this.#context.containerd.events.subscribe(
          { filters: ['topic~="^/tasks/(exit|oom)$"'] },
          { signal },
        );
        void this.#resyncSoon(AbortSignal.any([signal, settled.signal]));
        for await (const envelope of events) {
          retryMs = firstRetryMs;
          this.#dispatch(envelope);
        }
      } catch (error) {
        if (!signal.aborted) this.#context.log.warn(`containerd's events are interrupted: ${messageOf(error)}`);
      }
      settled.abort();
      await sleep(retryMs, undefined, { signal }).catch(() => undefined);
      retryMs = Math.min(retryMs * 2, maxRetryMs);
    }
  }

  async #resyncSoon(signal: AbortSignal): Promise<void> {
    for (const delay of [0, settleMs]) {
      await sleep(delay, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      await this.#tryResync();
    }
  }

  async #sweep(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      await sleep(sweepMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await this.#tryResync();
    }
  }

  async #tryResync(): Promise<void> {
    try {
      await resync(this.#context);
      await removeLeftovers(this.#context);
      await finishRemovals(this.#context);
    } catch (error) {
      if (!isKind(error, "Unavailable")) this.#context.log.warn({ err: error }, "comparing with containerd's tasks");
    }
  }

  #dispatch(envelope: Envelope): void {
    const exit = unpackAny(envelope.event, TaskExitSchema);
    const oom = unpackAny(envelope.event, TaskOOMSchema);
    const container = this.#context.store.byId(exit?.containerId ?? oom?.containerId ?? "");
    if (container === undefined) return;
    if (oom !== undefined) handleOom(this.#context, container);
    if (exit === undefined) return;
    const report = { pid: exit.pid, exitCode: exit.exitStatus, exitedAt: fromTimestamp(exit.exitedAt) };
    if (exit.id === "" || exit.id === exit.containerId) this.#run(handleExit(this.#context, container, report));
    else {
      const exec = container.execs.get(exit.id);
      if (exec !== undefined) this.#run(handleExecExit(this.#context, exec, report.exitCode));
    }
  }

  #run(work: Promise<void>): void {
    work.catch((error: unknown) => this.#context.log.error({ err: error }, "handling the end of a process"));
  }
}

/** Brings records in line with containerd's tasks: ends that were never reported are handled now. */
export async function resync(context: Context): Promise<void> {
  const alive = context.store.list().filter((container) => container.alive);
  const pids = new Map(alive.map((container) => [container.id, container.record.State.Pid]));
  const { tasks } = await context.containerd.tasks.list({});
  const byId = new Map(tasks.map((task) => [task.containerId === "" ? task.id : task.containerId, task]));
  await Promise.all(
    alive.map(async (container) => {
      const task = byId.get(container.id);
      const pid = pids.get(container.id) ?? 0;
      if (task === undefined)
        await handleExit(context, container, { pid, exitCode: 255, exitedAt: fromTimestamp(undefined) });
      else if (task.status === Status.STOPPED)
        await handleExit(context, container, {
          pid,
          exitCode: task.exitStatus,
          exitedAt: fromTimestamp(task.exitedAt),
        });
      else {
        if (
          container.record.PausedForCommit === true ||
          (task.status === Status.PAUSED) !== container.record.State.Paused
        )
          await settlePause(context, container);
        await resyncExecs(context, container);
      }
    }),
  );
}

async function resyncExecs(context: Context, container: Container): Promise<void> {
  for (const exec of container.execs.values()) {
    if (!exec.running || exec.pid === 0) continue;
    try {
      const { process } = await context.containerd.tasks.get({ containerId: container.id, execId: exec.id });
      if (process?.status === Status.STOPPED) await handleExecExit(context, exec, process.exitStatus);
    } catch (error) {
      if (!isKind(error, "NotFound")) throw error;
      await handleExecExit(context, exec, 255);
    }
  }
}
