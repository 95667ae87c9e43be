import { addon } from "../addon.ts";

const native = addon as {
  mount(
    source: string,
    target: string,
    type: string | null,
    flags: number,
    data: string | null,
    workdir: string | null,
  ): void;
  umount(target: string, flags: number): void;
  mountSetattr(target: string, set: number, clear: number, propagation: number, recursive: boolean): void;
};

/**
 * mount(2). `flags` are of `MS`; `data` is at most a page (4095 bytes). With `workdir`, relative
 * paths in `data` count from there (overlayfs with many layers), and `target` must be absolute.
 */
export function mount(
  source: string,
  target: string,
  fstype: string | undefined,
  flags = 0,
  data?: string,
  workdir?: string,
): void {
  native.mount(source, target, fstype ?? null, flags, data ?? null, workdir ?? null);
}

/** umount2(2). `flags` are of `MNT`; EINVAL means that `target` is no mount point. */
export function umount(target: string, flags = 0): void {
  native.umount(target, flags);
}

/** mount_setattr(2): sets and clears attributes of `MOUNT_ATTR`, for all mounts below with `recursive`. */
export function mountSetattr(
  target: string,
  change: { set?: number; clear?: number; propagation?: number; recursive?: boolean },
): void {
  native.mountSetattr(target, change.set ?? 0, change.clear ?? 0, change.propagation ?? 0, change.recursive ?? false);
}
