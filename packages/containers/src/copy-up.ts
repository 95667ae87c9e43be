import { closeSync, fstatSync, readlinkSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { Unknown } from "@longshore/errdefs";
import type { MountRecord } from "@longshore/spec";
import { O, openInRoot } from "@longshore/sys";
import type { Container } from "./container.ts";
import type { Context } from "./context.ts";
import { rootMounts, withMounts } from "./rootfs.ts";

/** Fills the container's empty volumes with what the image has at their place, owners and modes included. */
export async function copyImageContent(context: Context, container: Container): Promise<void> {
  const mounts = Object.values(container.record.MountPoints).filter((mount) => mount.Type === "volume" && mount.CopyData === true && (mount.Spec.VolumeOptions?.Subpath ?? "") === "");
  if (mounts.length === 0) return;
  await withMounts(context, await rootMounts(context, container.id), async (root) => {
    for (const mount of mounts) await copyTo(context, container, root, mount);
  });
}

/** What the image has not is no reason to mount the volume. @throws Unknown with Docker's message when it has a file there */
async function copyTo(context: Context, container: Container, root: string, { Name, Destination }: MountRecord): Promise<void> {
  let fd: number;
  try {
    fd = openInRoot(root, Destination, O.PATH);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return;
    throw error;
  }
  try {
    const target = await context.volumes.mount(Name, container.id);
    try {
      if (fstatSync(fd).isDirectory()) await context.volumes.copyUp(`/proc/self/fd/${fd}`, target);
      else if ((await readdir(target)).length === 0) throw new Unknown(`source ${readlinkSync(`/proc/self/fd/${fd}`)} is not directory`);
    } finally {
      await context.volumes.unmount(Name, container.id);
    }
  } finally {
    closeSync(fd);
  }
}
