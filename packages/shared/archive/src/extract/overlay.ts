import type { Stats } from "node:fs";
import { S, lgetxattr, lsetxattr, mknod } from "@longshore/sys";
import type { ByteString } from "../tar/header.ts";
import { codeOf, fsPath } from "./path.ts";

/** overlayfs's attributes; a layer's tar must not bring any of its own. */
export const overlayXattrPrefix = "trusted.overlay.";
const opaqueXattr = `${overlayXattrPrefix}opaque`;

/** Whether this is overlayfs's mark for a deleted name: a character device 0:0. */
export function isWhiteoutDevice(stat: Pick<Stats, "rdev" | "isCharacterDevice">): boolean {
  return stat.isCharacterDevice() && Number(stat.rdev) === 0;
}

/** Marks a name in an upper folder as deleted. @throws EEXIST */
export function makeWhiteout(path: ByteString): void {
  mknod(fsPath(path), S.IFCHR, 0, 0);
}

/** Makes an upper folder hide all that the lower ones have below it. */
export function setOpaque(path: ByteString): void {
  lsetxattr(fsPath(path), opaqueXattr, Buffer.from("y"));
}

/** The value of an attribute, undefined when it is not set or the file system has none. */
export function xattrOf(path: ByteString, name: string): Buffer | undefined {
  try {
    return lgetxattr(fsPath(path), name);
  } catch (error) {
    if (codeOf(error) === "ENODATA" || codeOf(error) === "ENOTSUP" || codeOf(error) === "EOPNOTSUPP") return undefined;
    throw error;
  }
}

export function isOpaque(path: ByteString): boolean {
  return xattrOf(path, opaqueXattr)?.toString() === "y";
}
