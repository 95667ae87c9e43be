import { stat } from "node:fs/promises";
import { posix } from "node:path";
import type { Mount } from "@longshore/docker-api";
import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { isPropagation } from "./modes.ts";
import { tmpfsMountOptions } from "./tmpfs.ts";

/** Whether a path of the host exists; other failures than its absence reject. */
export type PathExists = (path: string) => Promise<boolean>;

export const hostPathExists: PathExists = async (path) => {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
};

/** `invalid mount path: 'x' mount path must be absolute`, as the whole message. */
function checkAbsolute(path: string): void {
  if (!posix.isAbsolute(path)) throw new InvalidArgument(`invalid mount path: '${path}' mount path must be absolute`);
}

/** @throws InvalidArgument when `path` is no place for a tmpfs */
export function checkTmpfsDestination(path: string): void {
  checkNotRoot(path);
  checkAbsolute(path);
}

function checkNotRoot(path: string): void {
  if (path !== "" && posix.normalize(path) === "/") {
    throw new InvalidArgument("invalid specification: destination can't be '/'");
  }
}

function missing(field: string): InvalidArgument {
  return new InvalidArgument(`field ${field} must not be empty`);
}

function refuse(
  mount: Mount,
  fields: ("Source" | "BindOptions" | "VolumeOptions" | "ImageOptions" | "TmpfsOptions")[],
): void {
  for (const field of fields) {
    const value = mount[field];
    if (value !== undefined && value !== null && value !== "") {
      throw new InvalidArgument(`field ${field} must not be specified`);
    }
  }
}

function isLocal(path: string): boolean {
  const clean = posix.normalize(path);
  return !posix.isAbsolute(path) && clean !== ".." && !clean.startsWith("../");
}

function checkVolume(mount: Mount): void {
  refuse(mount, ["BindOptions", "ImageOptions"]);
  const anonymous = !mount.Source;
  const subpath = mount.VolumeOptions?.Subpath;
  if (subpath) {
    if (anonymous) throw new InvalidArgument("must not set Subpath when using anonymous volumes");
    if (!isLocal(subpath)) throw new InvalidArgument("subpath must be a relative path within the volume");
  }
  if (mount.ReadOnly === true && anonymous) {
    throw new InvalidArgument("must not set ReadOnly mode when using anonymous volumes");
  }
}

async function checkBind(mount: Mount, exists: PathExists | undefined): Promise<void> {
  if (!mount.Source) throw missing("Source");
  const propagation = mount.BindOptions?.Propagation ?? "";
  if (propagation !== "" && !isPropagation(propagation)) {
    throw new InvalidArgument(`invalid propagation mode: ${String(propagation)}`);
  }
  refuse(mount, ["VolumeOptions", "ImageOptions"]);
  checkAbsolute(mount.Source);
  if (exists !== undefined && mount.BindOptions?.CreateMountpoint !== true && !(await exists(mount.Source))) {
    throw new InvalidArgument(`bind source path does not exist: ${mount.Source}`);
  }
}

/**
 * Checks one mount as the API states it.
 * @param exists given: a bind's source has to exist
 * @throws InvalidArgument `invalid mount config for type "bind": …`
 */
export async function checkMount(mount: Mount, exists?: PathExists): Promise<void> {
  try {
    if (!mount.Target) throw missing("Target");
    checkTmpfsDestination(mount.Target);
    switch (mount.Type) {
      case "bind":
        return await checkBind(mount, exists);
      case "volume":
        return checkVolume(mount);
      case "tmpfs":
        refuse(mount, ["BindOptions", "ImageOptions", "Source"]);
        tmpfsMountOptions(mount);
        return;
      case "image":
        refuse(mount, ["BindOptions", "VolumeOptions"]);
        if (!mount.Source) throw missing("Source");
        if (mount.ImageOptions?.Subpath && !isLocal(mount.ImageOptions.Subpath)) {
          throw new InvalidArgument("subpath must be a relative path within the volume");
        }
        return;
      default:
        throw new InvalidArgument("mount type unknown");
    }
  } catch (error) {
    throw new InvalidArgument(`invalid mount config for type "${mount.Type ?? ""}": ${messageOf(error)}`, {
      cause: error,
    });
  }
}
