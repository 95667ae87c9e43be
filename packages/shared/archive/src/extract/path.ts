import { posix } from "node:path";
import { BadArchive } from "../tar/errors.ts";
import { type ByteString, bytesOf, textOf } from "../tar/header.ts";

/** A byte string as Node's and sys's file functions take it. */
export function fsPath(path: ByteString): string | Buffer {
  return /[\x80-\xff]/.test(path) ? bytesOf(path) : path;
}

/**
 * An entry's name relative to the root, without `.`, `..`, double and trailing slashes; "" is the
 * root itself. A leading slash counts for nothing, as in Docker.
 * @returns undefined when the name leads out of the root
 */
export function cleanName(name: ByteString): ByteString | undefined {
  if (!/(^|\/)\.{0,2}(\/|$)/.test(name)) return name;
  const clean = posix.normalize(name).replace(/^\/+/, "").replace(/\/$/, "");
  if (clean === "." || clean === "") return "";
  return clean === ".." || clean.startsWith("../") ? undefined : clean;
}

/** Folder and last component of a clean name; the folder is "" at the top. */
export function splitName(name: ByteString): { dir: ByteString; base: ByteString } {
  const slash = name.lastIndexOf("/");
  return { dir: slash < 0 ? "" : name.slice(0, slash), base: name.slice(slash + 1) };
}

const errnoTexts: Record<string, string> = {
  E2BIG: "argument list too long",
  EACCES: "permission denied",
  EBUSY: "device or resource busy",
  EDQUOT: "disk quota exceeded",
  EEXIST: "file exists",
  EFBIG: "file too large",
  EINVAL: "invalid argument",
  EIO: "input/output error",
  EISDIR: "is a directory",
  ELOOP: "too many levels of symbolic links",
  EMFILE: "too many open files",
  EMLINK: "too many links",
  ENAMETOOLONG: "file name too long",
  ENFILE: "too many open files in system",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on device",
  ENOTDIR: "not a directory",
  ENOTEMPTY: "directory not empty",
  EPERM: "operation not permitted",
  ERANGE: "numerical result out of range",
  EROFS: "read-only file system",
  EXDEV: "invalid cross-device link",
};

/** The error code of a failed file call, e.g. `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}

/** An errno in libc's words, as Go's errors and so Docker's end in them. */
export function errnoText(error: unknown): string {
  return errnoTexts[codeOf(error) ?? ""] ?? String(error);
}

/** `operation name: reason`, the form of Go's file errors. */
export function pathError(operation: string, name: ByteString, reason: string, cause?: unknown): BadArchive {
  return new BadArchive(`${operation} ${textOf(name)}: ${reason}`, { cause });
}
