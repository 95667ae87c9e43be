import { mkdir, readdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { unmountTree } from "@longshore/sys";
import { boundContainers, releaseBound } from "../rootfs/bound-paths.ts";
import { Container } from "../model/container.ts";
import type { Context } from "../model/context.ts";
import { endLeases } from "../lifecycle/lease.ts";
import { removeLeftovers } from "./leftovers.ts";
import { adoptLinks } from "../networking/links.ts";
import { findLogsAside } from "../logging/log-damage.ts";
import { resync } from "../lifecycle/end/monitor.ts";
import { adoptName } from "../networking/network-sandbox.ts";
import { adoptPorts } from "../networking/ports.ts";
import { damagedIds, loadContainers } from "../model/record-files.ts";
import { attempt } from "../lifecycle/task.ts";

/** Loads all records and brings them in line with what containerd says. Nothing is started yet. */
export async function restoreContainers(context: Context): Promise<void> {
  const { settings, store } = context;
  const root = join(settings.dataRoot, "containers");
  const damaged = join(settings.dataRoot, "damaged");
  await mkdir(root, { recursive: true, mode: 0o710 });
  await mkdir(damaged, { recursive: true, mode: 0o700 });
  await mkdir(join(settings.execRoot, "attach"), { recursive: true, mode: 0o700 });
  await unmountLeftovers(context);
  for (const { record, hostConfig } of await loadContainers(root, damaged, context.log)) {
    const container = new Container(record, hostConfig, join(root, record.ID), context.space);
    await findLogsAside(container);
    // Its turn comes with `resumeContainers`.
    container.restart.held = true;
    store.add(container);
    store.reserve(container.name, container.id);
    for (const mount of Object.values(record.MountPoints)) {
      if (mount.Type === "volume" && mount.Name !== "") context.volumes.reference(mount.Name, record.ID);
    }
  }
  adoptLinks(context);
  for (const container of store.list().filter(({ alive }) => alive)) await remountVolumes(context, container);
  // What was set aside may still run, and its files are its owner's: nothing of it is taken away.
  const aside = await damagedIds(damaged);
  await context.network.restore(
    new Set([
      ...store
        .list()
        .filter((container) => container.alive)
        .map((container) => container.id),
      ...aside,
    ]),
  );
  for (const container of store.list().filter(({ alive }) => alive))
    await attempt(context, "noting the ports and the name of a container", async () => {
      await adoptPorts(context, container);
      await adoptName(context, container);
    });
  await resync(context);
  context.volumes.releaseUnclaimed();
  for (const container of store.list()) context.logFeeds.restored(container);
  await removeLeftovers(context);
  for (const id of await boundContainers(context)) {
    if (store.byId(id)?.alive !== true && !aside.has(id))
      await attempt(context, "unmounting what a killed engine left", () => releaseBound(context, id));
  }
  await attempt(context, "ending leases of a former engine", () => endLeases(context));
}

/** Tells the volumes who uses them: a volume that is still mounted is not mounted again. */
async function remountVolumes(context: Context, container: Container): Promise<void> {
  for (const mount of Object.values(container.record.MountPoints)) {
    if (mount.Type === "volume")
      await attempt(context, `mounting volume ${mount.Name}`, () => context.volumes.mount(mount.Name, container.id));
  }
}

/** Temporary mounts of an engine that was killed. Only empty directories are removed: what is mounted is somebody's file system. */
async function unmountLeftovers(context: Context): Promise<void> {
  const root = join(context.settings.execRoot, "mnt");
  await mkdir(root, { recursive: true, mode: 0o700 });
  for (const name of await readdir(root)) {
    unmountTree(join(root, name));
    await attempt(context, "removing a mount point", () => rmdir(join(root, name)));
  }
}
