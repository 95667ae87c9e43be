import { addon } from "../addon.ts";

const native = addon as {
  lgetxattr(path: string | Buffer, name: string): Buffer;
  lsetxattr(path: string | Buffer, name: string, value: Uint8Array, flags: number): void;
  llistxattr(path: string | Buffer): Buffer;
  lremovexattr(path: string | Buffer, name: string): void;
};

/** The value of an extended attribute; ENODATA when it is not set. Symbolic links are not followed. */
export function lgetxattr(path: string | Buffer, name: string): Buffer {
  return native.lgetxattr(path, name);
}

/** Sets an extended attribute. Symbolic links are not followed. */
export function lsetxattr(path: string | Buffer, name: string, value: Uint8Array): void {
  native.lsetxattr(path, name, value, 0);
}

/** The names of all extended attributes. Symbolic links are not followed. */
export function llistxattr(path: string | Buffer): string[] {
  return native.llistxattr(path).toString().split("\0").slice(0, -1);
}

/** Removes an extended attribute; ENODATA when it is not set. Symbolic links are not followed. */
export function lremovexattr(path: string | Buffer, name: string): void {
  native.lremovexattr(path, name);
}
