import { closeSync } from "node:fs";
import type { MountRecord } from "@longshore/spec";
import { O, openInRoot } from "@longshore/sys";
import type { Container } from "./container.ts";
import type { Context } from "./context.ts";
import { rootMounts, withMounts } from "./rootfs.ts";

/** Fills the container's empty volumes with what the image has at their place, owners and modes included. */
export async function copyImageContent(context: Context, container: Container): Promise<void> {
  const mounts = Object.values(container.record.MountPoints).filter((mount) => mount.Type === "volume" && mount.CopyData === true);
  if (mounts.length === 0) return;
  await withMounts(context, await rootMounts(context, container.id), async (root) => {
    for (const mount of mounts) await copyTo(context, container, root, mount);
  });
}

/** What the image has not is no reason to mount the volume. */
async function copyTo(context: Context, container: Container, root: string, { Name, Destination }: MountRecord): Promise<void> {
  let fd: number;
  try {
    fd = openInRoot(root, Destination, O.PATH | O.DIRECTORY);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return;
    throw error;
  }
  try {
    const target = await context.volumes.mount(Name, container.id);
    try {
      await context.volumes.copyUp(`/proc/self/fd/${fd}`, target);
    } finally {
      await context.volumes.unmount(Name, container.id);
    }
  } finally {
    closeSync(fd);
  }
}
