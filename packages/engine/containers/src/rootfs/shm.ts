import { mkdir } from "node:fs/promises";
import { mountAll, unmountAll } from "@longshore/sys";
import { Conflict, InvalidArgument, messageOf } from "@longshore/errdefs";
import type { Container } from "../model/container.ts";
import type { Context } from "../model/context.ts";

/** Where a container that shares its IPC namespace keeps /dev/shm. */
function shmDir(container: Container): string {
  return container.file("mounts/shm");
}

/**
 * Prepares shared memory as the IPC mode asks and returns its host path; `undefined` when the
 * runtime makes its own (`private`, `none`).
 * @throws InvalidArgument when the container to join does not share
 */
export async function prepareShm(context: Context, container: Container): Promise<string | undefined> {
  const mode = container.hostConfig.IpcMode;
  if (mode === "host") return "/dev/shm";
  if (mode.startsWith("container:")) {
    const other = joined(context, mode.slice("container:".length), "IPC");
    if (other.hostConfig.IpcMode === "host") return "/dev/shm";
    if (other.hostConfig.IpcMode !== "shareable")
      throw new InvalidArgument(
        `failed to join IPC namespace: container ${other.id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
      );
    return shmDir(other);
  }
  if (mode !== "shareable") return undefined;
  const path = shmDir(container);
  await mkdir(path, { recursive: true, mode: 0o700 });
  unmountAll(path);
  const options = ["nosuid", "noexec", "nodev", "mode=1777", `size=${container.hostConfig.ShmSize}`];
  mountAll([{ type: "tmpfs", source: "shm", options }], path);
  container.record.ShmPath = path;
  return path;
}

export function releaseShm(container: Container): void {
  if (container.hostConfig.IpcMode === "shareable") unmountAll(shmDir(container));
}

/**
 * The running container whose namespace is to be joined.
 * @throws InvalidArgument when there is none of that name, Conflict when it does not run, both with what was to be done
 */
export function joined(context: Context, nameOrId: string, kind: "IPC" | "PID"): Container {
  const failed = `failed to join ${kind} namespace`;
  let other: Container;
  try {
    other = context.store.get(nameOrId);
  } catch (error) {
    throw new InvalidArgument(`${failed}: ${nameOrId === "" ? 'invalid name or ID supplied: ""' : messageOf(error)}`, {
      cause: error,
    });
  }
  if (!other.record.State.Running) throw new Conflict(`${failed}: container ${nameOrId} is not running`);
  if (other.record.State.Restarting)
    throw new Conflict(`${failed}: Container ${nameOrId} is restarting, wait until the container is running`);
  return other;
}
