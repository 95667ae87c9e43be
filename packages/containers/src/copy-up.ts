import { closeSync } from "node:fs";
import { O, openInRoot } from "@longshore/sys";
import type { Container } from "./container.ts";
import type { Context } from "./context.ts";
import { rootMounts, withMounts } from "./rootfs.ts";

/** Fills the container's empty volumes with what the image has at their place, owners and modes included. */
export async function copyImageContent(context: Context, container: Container): Promise<void> {
  const mounts = Object.values(container.record.MountPoints).filter((mount) => mount.Type === "volume" && mount.CopyData === true);
  if (mounts.length === 0) return;
  await withMounts(context, await rootMounts(context, container.id), async (root) => {
    for (const mount of mounts) {
      const target = await context.volumes.mount(mount.Name, container.id);
      try {
        await copyBelow(context, root, mount.Destination, target);
      } finally {
        await context.volumes.unmount(mount.Name, container.id);
      }
    }
  });
}

async function copyBelow(context: Context, root: string, path: string, target: string): Promise<void> {
  let fd: number;
  try {
    fd = openInRoot(root, path, O.PATH | O.DIRECTORY);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return;
    throw error;
  }
  try {
    await context.volumes.copyUp(`/proc/self/fd/${fd}`, target);
  } finally {
    closeSync(fd);
  }
}
