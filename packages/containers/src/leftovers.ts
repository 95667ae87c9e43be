import { join } from "node:path";
import type { Context } from "./context.ts";
import { ownerLabel } from "./create.ts";
import { damagedIds } from "./record-files.ts";
import { removeRuntime } from "./remove.ts";
import { attempt, deleteTask } from "./task.ts";

/**
 * Removes what a kill of the engine or of containerd left in containerd: records without a
 * container, tasks of ended containers. What is being made, started or ended at this moment
 * stays, and so does what was set aside as damaged.
 */
export async function removeLeftovers(context: Context): Promise<void> {
  const { containerd, settings, store } = context;
  const { containers } = await containerd.containers.list({ filters: [`labels."${ownerLabel}"=="${settings.dataRoot}"`] });
  const { tasks } = await containerd.tasks.list({});
  const withTask = new Set(tasks.map((task) => (task.containerId === "" ? task.id : task.containerId)));
  const aside = await damagedIds(join(settings.dataRoot, "damaged"));
  for (const { id } of containers) {
    const container = store.byId(id);
    if (aside.has(id)) continue;
    if (!store.isReserved(id)) await attempt(context, `removing leftovers of container ${id}`, () => removeRuntime(context, id));
    else if (container?.alive === false && withTask.has(id)) {
      // A start or an end that is under way has the lock.
      await container.lock.run(async () => {
        if (!container.alive) await attempt(context, `removing a task of ended container ${id}`, () => deleteTask(context, id));
      });
    }
  }
}
