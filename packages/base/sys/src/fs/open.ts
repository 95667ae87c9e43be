import { closeSync, constants, openSync } from "node:fs";
import { addon } from "../addon.ts";
import { O, RESOLVE } from "../constants.ts";

const native = addon as {
  openat2(directory: number, path: string | Buffer, flags: number, mode: number, resolve: number): number;
};

/**
 * Opens `path` as a process whose root directory is `root` would see it: neither `..` nor an
 * absolute symbolic link leads out. Returns a file descriptor (close-on-exec) that the caller
 * closes; with `O.PATH` it serves as `/proc/self/fd/<n>` in calls that take paths.
 */
export function openInRoot(root: string, path: string | Buffer, flags: number, mode = 0): number {
  const directory = openSync(root, constants.O_DIRECTORY | O.PATH);
  try {
    return native.openat2(
      directory,
      path.length === 0 ? "." : path,
      flags,
      mode,
      RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS,
    );
  } finally {
    closeSync(directory);
  }
}

/** openat2(2) below an open directory; `resolve` are flags of `RESOLVE`. */
export function openat2(directory: number, path: string | Buffer, flags: number, mode = 0, resolve = 0): number {
  return native.openat2(directory, path, flags, mode, resolve);
}
