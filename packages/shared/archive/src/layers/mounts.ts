import { mkdtempSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { type MountSpec, mountAll, unmountAll } from "@longshore/sys";

/** The folders of an overlay mount. */
export interface OverlayFolders {
  /** Absent for a read-only one. */
  upper: string | undefined;
  /** Topmost first. */
  lowers: string[];
}

/** The folders of what is one overlay mount in the plain form of containerd's snapshotter. */
export function overlayFolders(mounts: readonly MountSpec[]): OverlayFolders | undefined {
  const [only, ...more] = mounts;
  if (only === undefined || more.length > 0 || only.type !== "overlay" || (only.target ?? "") !== "") return undefined;
  const value = (key: string): string | undefined =>
    only.options?.find((option) => option.startsWith(`${key}=`))?.slice(key.length + 1);
  // With userxattr the marks have other names; an escaped colon is no separator.
  if (only.options?.includes("userxattr") === true || value("lowerdir")?.includes("\\") === true) return undefined;
  return { upper: value("upperdir"), lowers: value("lowerdir")?.split(":") ?? [] };
}

/** The folder of what is one bind mount. */
export function bindSource(mounts: readonly MountSpec[]): { source: string; readonly: boolean } | undefined {
  const [only, ...more] = mounts;
  if (only === undefined || more.length > 0 || (only.target ?? "") !== "") return undefined;
  const options = only.options ?? [];
  const bind = only.type === "bind" || options.includes("bind") || options.includes("rbind");
  return bind ? { source: only.source, readonly: options.includes("ro") } : undefined;
}

/** The same content without a right to write: an upper folder in use elsewhere becomes a lower one. */
function readonlyMounts(mounts: readonly MountSpec[]): MountSpec[] {
  return mounts.map((mount) => {
    const options = mount.options ?? [];
    if (mount.type !== "overlay")
      return { ...mount, options: [...options.filter((option) => option !== "rw" && option !== "ro"), "ro"] };
    const upper = options.find((option) => option.startsWith("upperdir="))?.slice("upperdir=".length);
    return {
      ...mount,
      options: options
        .filter((option) => !option.startsWith("upperdir=") && !option.startsWith("workdir="))
        .map((option) =>
          upper !== undefined && option.startsWith("lowerdir=")
            ? `lowerdir=${upper}:${option.slice("lowerdir=".length)}`
            : option,
        ),
    };
  });
}

/** Mounts on a folder of their own, until closed. */
export interface TemporaryMount {
  root: string;
  close(): void;
}

const prefix = "longshore-mount-";

/** Unmounts what a killed process left in a folder that no other process uses. */
export function sweepMounts(folder: string): void {
  for (const name of readdirSync(folder)) if (name.startsWith(prefix)) remove(join(folder, name));
}

function remove(root: string): void {
  unmountAll(root);
  // Never recursive: if something is still mounted, its files are not ours to delete.
  rmdirSync(root);
}

/** Mounts all on a new folder in `folder`; no mounts make an empty one. */
export function mountTemporarily(mounts: readonly MountSpec[], folder: string): TemporaryMount {
  const root = mkdtempSync(join(folder, prefix));
  const close = (): void => remove(root);
  try {
    mountAll(mounts, root);
  } catch (error) {
    close();
    throw error;
  }
  return { root, close };
}

/** As `mountTemporarily`, read-only. */
export function mountReadonly(mounts: readonly MountSpec[], folder: string): TemporaryMount {
  return mountTemporarily(readonlyMounts(mounts), folder);
}
