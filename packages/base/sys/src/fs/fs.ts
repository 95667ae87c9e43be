import { addon } from "../addon.ts";

const native = addon as {
  mknod(path: string | Buffer, mode: number, major: number, minor: number): void;
  mkfifo(path: string | Buffer, mode: number): void;
  lutimes(path: string | Buffer, atime: bigint, mtime: bigint): void;
  renameat2(from: string, to: string, flags: number): void;
  flock(fd: number, operation: number): void;
  fallocate(fd: number, mode: number, offset: number, length: number): void;
  syncfs(fd: number): void;
  writeAside(path: string, text: string): void;
  removeTree(path: string): Promise<void>;
};

/** mknod(2): `mode` is a type of `S` with permissions, which the umask narrows. */
export function mknod(path: string | Buffer, mode: number, major = 0, minor = 0): void {
  native.mknod(path, mode, major, minor);
}

/** mkfifo(3). */
export function mkfifo(path: string | Buffer, mode: number): void {
  native.mkfifo(path, mode);
}

/** Sets both times, in nanoseconds since 1970, of `path` itself even when it is a symbolic link. */
export function lutimes(path: string | Buffer, atimeNs: bigint, mtimeNs: bigint): void {
  native.lutimes(path, atimeNs, mtimeNs);
}

/** rename(2) with flags of `RENAME`. */
export function renameat2(from: string, to: string, flags: number): void {
  native.renameat2(from, to, flags);
}

/** flock(2) with operations of `LOCK`; with `LOCK.NB` a taken lock throws EAGAIN. Otherwise it blocks. */
export function flock(fd: number, operation: number): void {
  native.flock(fd, operation);
}

/** fallocate(2); lengths in bytes. */
export function fallocate(fd: number, mode: number, offset: number, length: number): void {
  native.fallocate(fd, mode, offset, length);
}

/** Writes out the whole file system that `fd` lies on; blocks until it is done. */
export function syncfs(fd: number): void {
  native.syncfs(fd);
}

/**
 * Removes a file, or a directory with all that it holds, beside the event loop; one that is not there is no error.
 * Links are not followed. What is mounted in it keeps its content: then it rejects with EXDEV or EBUSY.
 * @param path absolute
 */
export function removeTree(path: string): Promise<void> {
  return native.removeTree(path);
}

/**
 * Writes to a file that exists, on a thread that nobody waits for: for files of the kernel where the write itself is
 * what takes long. Whether it was possible is not told.
 */
export function writeAside(path: string, text: string): void {
  native.writeAside(path, text);
}

/** The major number in a `stat.rdev` or `stat.dev`. */
export function major(device: number): number {
  const d = BigInt(device);
  return Number(((d >> 8n) & 0xfffn) | ((d >> 32n) & 0xfffff000n));
}

/** The minor number in a `stat.rdev` or `stat.dev`. */
export function minor(device: number): number {
  const d = BigInt(device);
  return Number((d & 0xffn) | ((d >> 12n) & 0xffffff00n));
}
