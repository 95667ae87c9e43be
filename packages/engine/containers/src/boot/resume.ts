import { isKind } from "@longshore/errdefs";
import { candidateOf, type Condition, dependencies } from "./boot-order.ts";
import type { Container } from "../model/container.ts";
import type { Context } from "../model/context.ts";
import { scheduleRestart } from "../lifecycle/end/exit.ts";
import { startHealth } from "../health/health.ts";
import { finishRemoval, isRemovalDue } from "../lifecycle/remove/removals.ts";
import { startsAtBoot } from "../lifecycle/end/restart-policy.ts";
import { startContainer } from "../lifecycle/start/start.ts";
import { attempt } from "../lifecycle/task.ts";

/** A container waits so long for those that it depends on, then it is started all the same. */
const patienceMs = 300_000;
const pollMs = 50;

/**
 * Continues what the engine's end interrupted: removals, restarts; starts what its policy wants running,
 * each container after those that it depends on.
 */
export async function resumeContainers(context: Context): Promise<void> {
  const all = context.store.list();
  const waits = dependencies(all.map(candidateOf));
  const begun = new Map<string, Promise<void>>();
  // Circles are broken, so this ends.
  const begin = (container: Container): Promise<void> => {
    const before = begun.get(container.id);
    if (before) return before;
    const conditions = (waits.get(container.id) ?? []).flatMap(({ on, condition }) => {
      const dependency = context.store.byId(on);
      return dependency ? [{ dependency, condition }] : [];
    });
    const result = resume(context, container, () =>
      Promise.all(
        conditions.map(({ dependency, condition }) => begin(dependency).then(() => holds(dependency, condition))),
      ),
    );
    begun.set(container.id, result);
    return result;
  };
  await Promise.all(all.map(begin));
}

async function resume(context: Context, container: Container, ready: () => Promise<unknown>): Promise<void> {
  const { record, restart } = container;
  const restarts = record.State.Restarting;
  if (container.alive || isRemovalDue(container) || (!restarts && !startsAtBoot(container))) {
    restart.held = false;
    if (container.alive) startHealth(context, container);
    else if (isRemovalDue(container)) await finishRemoval(context, container);
    return;
  }
  await within(ready(), () =>
    context.log.warn(
      { container: container.id },
      "what the container depends on is not ready, it is started all the same",
    ),
  );
  restart.held = false;
  // Somebody may have stopped, started or removed it meanwhile.
  if (container.alive || container.removing || record.State.Restarting !== restarts) return;
  if (restarts) {
    scheduleRestart(context, container, 0);
    await until(() => !record.State.Restarting);
  } else {
    await attempt(context, `starting container ${container.id}`, async () => {
      await startContainer(context, container).catch((error: unknown) => {
        if (!isKind(error, "NotModified")) throw error;
      });
    });
  }
}

/** Waits until a condition holds, or cannot come to hold any more. */
async function holds({ record: { State } }: Container, condition: Condition): Promise<void> {
  const over = (): boolean => !State.Running || State.Dead;
  if (condition === "service_completed_successfully") await until(over);
  if (condition === "service_healthy")
    await until(() => over() || (!State.Restarting && State.Health?.Status !== "starting"));
}

/** Waits for `work`, but not longer than patience lasts. */
async function within(work: Promise<unknown>, late: () => void): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      late();
      resolve();
    }, patienceMs);
  });
  await Promise.race([work, patience]);
  clearTimeout(timer);
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + patienceMs; !condition() && Date.now() < end;)
    await new Promise((resolve) => setTimeout(resolve, pollMs));
}
