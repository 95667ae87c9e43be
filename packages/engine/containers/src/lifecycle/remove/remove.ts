import { unlink } from "node:fs/promises";
import { Conflict, isKind, messageOf, Unknown } from "@longshore/errdefs";
import { removeTree } from "@longshore/sys";
import { releaseBound } from "../../rootfs/bound-paths.ts";
import type { Container } from "../../model/container.ts";
import { type Context, emitContainer } from "../../model/context.ts";
import { removeViews } from "../../rootfs/image-mounts.ts";
import { sendSignal } from "../stop/kill.ts";
import { stopHealth } from "../../health/health.ts";
import { keepRecord } from "../../model/keep-record.ts";
import { cancelRestart } from "../end/restart-policy.ts";
import { releaseShm } from "../../rootfs/shm.ts";
import { SIGKILL } from "../stop/signal.ts";
import { attachSocket } from "../../attach/stdio.ts";
import { attempt, deleteTask } from "../task.ts";

export interface RemoveOptions {
  force: boolean;
  /** Anonymous volumes go with the container. */
  removeVolumes: boolean;
}

/**
 * Removes a container and all it has. Each step may be repeated: a removal that was cut short is
 * finished at the next start.
 * @throws Conflict when it runs and `force` is not given, or when its removal is under way
 */
export async function removeContainer(
  context: Context,
  container: Container,
  options: RemoveOptions,
  shownName = container.name,
): Promise<void> {
  if (container.removing) throw new Conflict(`removal of container ${shownName} is already in progress`);
  if (container.record.State.Running && !options.force)
    throw new Conflict(`cannot remove container "${shownName}": ${whyNot(container)}`);
  container.removing = true;
  try {
    if (container.record.State.Running) await endForRemoval(context, container);
    // Nobody begins a new one by now. Without the lock, since who commits needs it.
    await container.fileUses.over();
    await container.lock.run(() => removeLocked(context, container, options));
  } catch (error) {
    container.removing = false;
    throw error;
  }
}

function whyNot(container: Container): string {
  return container.status === "paused"
    ? "container is paused and must be unpaused first"
    : `container is ${container.status}: stop the container before removing or force remove`;
}

async function endForRemoval(context: Context, container: Container): Promise<void> {
  const gone = container.wait("not-running");
  await sendSignal(context, container, SIGKILL).catch((error: unknown) => {
    if (container.record.State.Running) throw error;
  });
  await gone;
}

async function removeLocked(context: Context, container: Container, options: RemoveOptions): Promise<void> {
  const { record } = container;
  // What ended and is of `--rm` is removed at the next start as it is.
  const removedAtBoot =
    container.hostConfig.AutoRemove && options.removeVolumes && record.HasBeenStartedBefore && !container.unsaved;
  record.State.RemovalInProgress = true;
  // Whoever finishes this after a kill knows what was asked for.
  record.RemovingVolumes = options.removeVolumes;
  cancelRestart(container);
  stopHealth(container);
  if (!removedAtBoot) await keepRecord(context, container);
  try {
    await removeRuntime(context, container.id, container.mayHaveTask);
    releaseShm(container);
    await context.logFeeds.removed(container);
    await releaseBound(context, container.id);
    await removeViews(context, container.id, Object.values(record.MountPoints));
    await removeVolumes(context, container, options.removeVolumes);
    // Without this file the directory no longer counts as a container.
    await unlink(container.file("config.v2.json"));
    await removeTree(container.dir);
  } catch (error) {
    const failure = new Unknown(
      `container ${container.id}: driver "${record.Driver}" failed to remove root filesystem: ${messageOf(error)}`,
      { cause: error },
    );
    Object.assign(record.State, { RemovalInProgress: false, Dead: true, Error: failure.message });
    await attempt(context, "saving a dead container", () => container.save());
    container.removed(failure.message);
    throw failure;
  }
  context.store.delete(container);
  for (const attachment of container.pendingAttachments) attachment.abandon();
  emitContainer(context, container, "destroy");
  container.removed();
}

/** Removes what containerd keeps of a container: task (unless it is known to have none), snapshot, record. */
export async function removeRuntime(context: Context, id: string, mayHaveTask = true): Promise<void> {
  const { containers, snapshots } = context.containerd;
  const ignoreAbsent = (error: unknown): void => {
    if (!isKind(error, "NotFound")) throw error;
  };
  if (mayHaveTask) await deleteTask(context, id);
  await allDone([
    removeTree(attachSocket(context, id)),
    snapshots.remove({ snapshotter: context.settings.snapshotter, key: id }).then(() => undefined, ignoreAbsent),
    containers.delete({ id }).then(() => undefined, ignoreAbsent),
  ]);
}

/** Waits for all of them, also when one fails: nothing goes on behind the error. */
async function allDone(works: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(works);
  await Promise.all(works);
}

async function removeVolumes(context: Context, container: Container, withAnonymous: boolean): Promise<void> {
  for (const mount of Object.values(container.record.MountPoints)) {
    if (mount.Type !== "volume" || mount.Name === "") continue;
    context.volumes.dereference(mount.Name, container.id);
    // Volumes that the user named in `-v` or `--mount` outlive the container.
    if (!withAnonymous || (mount.Spec.Source ?? "") !== "") continue;
    if (context.volumes.references(mount.Name).length > 0) continue;
    await attempt(context, `removing volume ${mount.Name}`, () => context.volumes.remove(mount.Name, true));
  }
}
