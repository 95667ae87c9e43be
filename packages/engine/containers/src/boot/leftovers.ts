import { join } from "node:path";
import type { Context } from "../model/context.ts";
import { ownerLabel } from "../lifecycle/create/build.ts";
import { keepRecord } from "../model/keep-record.ts";
import { damagedIds } from "../model/record-files.ts";
import { removeRuntime } from "../lifecycle/remove/remove.ts";
import { attempt, deleteTask } from "../lifecycle/task.ts";

/**
 * Removes what a kill of the engine or of containerd left in containerd: records without a
 * container, tasks of ended containers. What is being made, started or ended at this moment
 * stays, and so does what was set aside as damaged. Records that a full disk did not take are written.
 */
export async function removeLeftovers(context: Context): Promise<void> {
  const { containerd, settings, store } = context;
  const { containers } = await containerd.containers.list({
    filters: [`labels."${ownerLabel}"=="${settings.dataRoot}"`],
  });
  const { tasks } = await containerd.tasks.list({});
  const withTask = new Set(tasks.map((task) => (task.containerId === "" ? task.id : task.containerId)));
  const aside = await damagedIds(join(settings.dataRoot, "damaged"));
  for (const container of store.list()) {
    if (container.unsaved)
      await container.lock.run(
        async () =>
          container.unsaved && store.byId(container.id) === container && (await keepRecord(context, container)),
      );
  }
  for (const { id } of containers) {
    const container = store.byId(id);
    if (aside.has(id)) continue;
    if (!store.isReserved(id))
      await attempt(context, `removing leftovers of container ${id}`, () => removeRuntime(context, id));
    else if (container?.alive === false && withTask.has(id)) {
      // A start or an end that is under way has the lock.
      await container.lock.run(async () => {
        if (container.alive) return;
        // The task alone knows how it ended as long as the record does not.
        if (!container.unsaved || (await keepRecord(context, container)))
          await attempt(context, `removing a task of ended container ${id}`, () => deleteTask(context, id));
      });
    }
  }
}
