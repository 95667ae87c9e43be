import { execFile } from "node:child_process";
import { closeSync } from "node:fs";
import { chmod, chown, readdir, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { O, openInRoot } from "@longshore/sys";
import type { Container } from "./container.ts";
import type { Context } from "./context.ts";
import { rootMounts, withMounts } from "./rootfs.ts";

const run = promisify(execFile);

/** Fills the container's empty volumes with what the image has at their place, owners and modes included. */
export async function copyImageContent(context: Context, container: Container): Promise<void> {
  const mounts = Object.values(container.record.MountPoints).filter((mount) => mount.Type === "volume" && mount.CopyData === true);
  if (mounts.length === 0) return;
  await withMounts(context, await rootMounts(context, container.id), async (root) => {
    for (const mount of mounts) {
      const target = await context.volumes.mount(mount.Name, container.id);
      try {
        if ((await readdir(target)).length === 0) await copyBelow(root, mount.Destination, target);
      } finally {
        await context.volumes.unmount(mount.Name, container.id);
      }
    }
  });
}

async function copyBelow(root: string, path: string, target: string): Promise<void> {
  let fd: number;
  try {
    fd = openInRoot(root, path, O.PATH | O.DIRECTORY);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return;
    throw error;
  }
  try {
    const source = `/proc/${process.pid}/fd/${fd}`;
    await run("cp", ["-a", "--", `${source}/.`, target]);
    const { uid, gid, mode } = await stat(source);
    await chown(target, uid, gid);
    await chmod(target, mode & 0o7777);
  } finally {
    closeSync(fd);
  }
}
