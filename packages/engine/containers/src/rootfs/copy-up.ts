import { closeSync, fstatSync, readlinkSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { InvalidArgument, isKind, messageOf, Unknown } from "@longshore/errdefs";
import type { MountRecord } from "@longshore/docker-spec";
import { O, openInRoot } from "@longshore/sys";
import { bindBelow, releaseBound } from "./bound-paths.ts";
import type { Container } from "../model/container.ts";
import type { Context } from "../model/context.ts";
import { rootMounts, withMounts } from "./rootfs.ts";

/** Fills the container's empty volumes, or the parts of them that it mounts, with what the image has at their place, owners and modes included. */
export async function copyImageContent(context: Context, container: Container): Promise<void> {
  const mounts = Object.values(container.record.MountPoints).filter(
    (mount) => mount.Type === "volume" && mount.CopyData === true,
  );
  if (mounts.length === 0) return;
  await withMounts(context, await rootMounts(context, container.id), async (root) => {
    for (const mount of mounts) await copyTo(context, container, root, mount);
  });
}

/** What the image has not is no reason to mount the volume. @throws Unknown with Docker's message when it has a file there */
async function copyTo(context: Context, container: Container, root: string, mount: MountRecord): Promise<void> {
  let fd: number;
  try {
    fd = openInRoot(root, mount.Destination, O.PATH);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return;
    throw error;
  }
  try {
    await withTarget(context, container, mount, async (target) => {
      if (fstatSync(fd).isDirectory()) await context.volumes.copyUp(`/proc/self/fd/${fd}`, target);
      else if ((await readdir(target)).length === 0)
        throw new Unknown(`source ${readlinkSync(`/proc/self/fd/${fd}`)} is not directory`);
    });
  } finally {
    closeSync(fd);
  }
}

/** Calls `use` with the folder that is mounted; a part of a volume that is not there now may be there at the start. */
async function withTarget(
  context: Context,
  container: Container,
  { Name, Destination, Spec }: MountRecord,
  use: (target: string) => Promise<void>,
): Promise<void> {
  const subpath = Spec.VolumeOptions?.Subpath ?? "";
  const owner = `${container.id}-fill`;
  const whole = await context.volumes.mount(Name, container.id);
  try {
    const target =
      subpath === "" ? whole : await bindBelow(context, owner, Destination, whole, subpath).catch(unlessMissing);
    // A file is mounted as it is.
    if (target !== undefined && statSync(target).isDirectory()) await use(target);
  } finally {
    await releaseBound(context, owner);
    await context.volumes.unmount(Name, container.id);
  }
}

function unlessMissing(error: unknown): undefined {
  if (isKind(error, "NotFound")) return undefined;
  const message = `failed to populate volume: ${messageOf(error)}`;
  throw isKind(error, "InvalidArgument")
    ? new InvalidArgument(message, { cause: error })
    : new Unknown(message, { cause: error });
}
