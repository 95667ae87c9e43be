import { chmod, chown, mkdir, readFile, unlink } from "node:fs/promises";
import { connect } from "node:net";
import { dirname } from "node:path";
import { InvalidArgument, Unavailable } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";

async function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
}

/** Makes way for our socket: a dead one is removed, a live one is somebody else's. */
export async function claimPath(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  if (await answers(path)) throw new Unavailable(`can't create unix socket ${path}: another daemon listens on it`);
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}

async function groupId(name: string): Promise<number | undefined> {
  if (/^\d+$/.test(name)) return Number(name);
  const line = (await readFile("/etc/group", "utf8")).split("\n").find((entry) => entry.startsWith(`${name}:`));
  return line === undefined ? undefined : Number(line.split(":")[2]);
}

/** Lets only root and the group in; a missing default group is no error, as with Docker. */
export async function restrict(path: string, group: string, mode: number, log: Logger): Promise<void> {
  await chmod(path, mode);
  if (group === "") return;
  const gid = await groupId(group);
  if (gid !== undefined) await chown(path, 0, gid);
  else if (group !== "docker") throw new InvalidArgument(`failed to load listeners: group ${group} not found`);
  else log.debug(`could not change group ${path} to docker: group docker not found`);
}
