import { existsSync, lstatSync } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { InvalidArgument, isKind, messageOf, Unknown } from "@longshore/errdefs";
import type { MountRecord, ReadyMount } from "@longshore/docker-spec";
import { bindBelow, releaseBound } from "./bound-paths.ts";
import type { Container } from "../model/container.ts";
import type { Context } from "../model/context.ts";
import { mountImage } from "./image-mounts.ts";
import { attempt } from "../lifecycle/task.ts";

/**
 * Makes every mount point of the container usable and returns them with their host paths. The
 * stack undoes what was done.
 * @throws InvalidArgument when a bind source is missing
 */
export async function prepareMounts(
  context: Context,
  container: Container,
  stack: AsyncDisposableStack,
): Promise<ReadyMount[]> {
  const ready: ReadyMount[] = [];
  stack.defer(() =>
    attempt(context, "unmounting what was mounted for a container", () => releaseBound(context, container.id)),
  );
  for (const record of Object.values(container.record.MountPoints)) {
    ready.push({ record, source: await prepareOne(context, container, record, stack) });
  }
  return ready;
}

async function prepareOne(
  context: Context,
  container: Container,
  record: MountRecord,
  stack: AsyncDisposableStack,
): Promise<string> {
  if (record.Type === "volume") {
    const path = await context.volumes.mount(record.Name, container.id);
    stack.defer(() =>
      attempt(context, "unmounting a volume", () => context.volumes.unmount(record.Name, container.id)),
    );
    record.Source = path;
    emitMount(context, container, record);
    const subpath = record.Spec.VolumeOptions?.Subpath ?? "";
    return subpath === "" ? path : await bindBelow(context, container.id, record.Destination, path, subpath);
  }
  if (record.Type === "image") {
    const { whole, path } = await mountImage(context, container.id, record);
    record.Source = whole;
    return path;
  }
  if (record.Type === "bind") {
    await makeBindSource(record);
    return record.Source;
  }
  return record.Source;
}

/**
 * Before anything of a start is done or written down.
 * @throws InvalidArgument when a source that `--mount` names is gone: it is not made, as one of `-v` is
 */
export function checkBindSources(container: Container): void {
  for (const { Type, Source, SkipMountpointCreation } of Object.values(container.record.MountPoints)) {
    if (Type !== "bind" || !SkipMountpointCreation || existsSync(Source)) continue;
    throw new InvalidArgument(`invalid mount config for type "bind": bind source path does not exist: ${Source}`);
  }
}

/** `-v` makes a missing source directory. What is no directory on the way there, the runtime tells. */
export async function makeBindSource({ Source, SkipMountpointCreation }: MountRecord): Promise<void> {
  try {
    await stat(Source);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOTDIR") return;
    if (code !== "ENOENT") throw error;
    if (SkipMountpointCreation)
      throw new InvalidArgument(`invalid mount config for type "bind": bind source path does not exist: ${Source}`, {
        cause: error,
      });
    await makeDirectory(Source);
  }
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o755 });
  } catch (error) {
    // A link that leads nowhere is there, and no directory.
    const dangling = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
    const reason = dangling ? `mkdir ${path}: file exists` : messageOf(error);
    throw new Unknown(`error while creating mount source path '${path}': ${reason}`, { cause: error });
  }
}

function emitMount(context: Context, container: Container, record: MountRecord): void {
  context.emit("volume", "mount", {
    ID: record.Name,
    Attributes: {
      driver: record.Driver,
      container: container.id,
      destination: record.Destination,
      "read/write": String(record.RW),
      propagation: record.Propagation ?? "",
    },
  });
}

/** Lets go of the volumes of a container that has ended. */
export async function releaseMounts(context: Context, container: Container): Promise<void> {
  await attempt(context, "unmounting what was mounted for a container", () => releaseBound(context, container.id));
  for (const record of Object.values(container.record.MountPoints)) {
    if (record.Type !== "volume") continue;
    await attempt(context, "unmounting a volume", async () => {
      await context.volumes.unmount(record.Name, container.id).catch((error: unknown) => {
        if (!isKind(error, "NotFound")) throw error;
      });
      context.emit("volume", "unmount", {
        ID: record.Name,
        Attributes: { driver: record.Driver, container: container.id },
      });
    });
  }
}
