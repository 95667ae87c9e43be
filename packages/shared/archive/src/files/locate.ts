import { type BigIntStats, closeSync, lstatSync, readlinkSync } from "node:fs";
import { posix } from "node:path";
import { NotFound, Unknown } from "@longshore/errdefs";
import { O, RESOLVE, openInRoot, openat2 } from "@longshore/sys";
import { codeOf, errnoText, fsPath } from "../extract/path.ts";
import { type ByteString, byteString, textOf } from "../tar/header.ts";

/** A file in a container's root, held so that nobody can move it away under us. */
export interface Located {
  /** The last component as Docker names it in archives: `.` for the contents of a folder, `/` for the root. */
  name: ByteString;
  /** A path for file calls; its last component must not be followed. */
  path: ByteString;
  stat: BigIntStats;
  close(): void;
}

/**
 * Finds `path` as a process in the container would, symbolic links on the way included. A link at its
 * end is followed only when the path goes on with `/` or `/.`, which asks for a folder.
 * @throws NotFound, Unknown `lstat /a/b/: not a directory`
 */
export function locate(root: string, path: string): Located {
  const clean = posix.normalize(`/${path}`);
  const folder = /(^|\/)\.?$/.test(path);
  const inside = byteString(clean.replace(/(.)\/$/, "$1"));
  const base = posix.basename(inside);
  const name = /(^|\/)\.$/.test(path) || path === "" ? "." : base || "/";
  try {
    return folder || inside === "/" ? locateFolder(root, inside, name) : locateChild(root, inside, name);
  } catch (error) {
    if (codeOf(error) === "ENOENT") throw new NotFound(`lstat ${path}: no such file or directory`, { cause: error });
    if (codeOf(error) !== undefined) throw new Unknown(`lstat ${path}: ${errnoText(error)}`, { cause: error });
    throw error;
  }
}

function locateFolder(root: string, inside: ByteString, name: ByteString): Located {
  const fd = openInRoot(root, fsPath(inside), O.PATH | O.DIRECTORY);
  return held(fd, `/proc/self/fd/${fd}/.`, name);
}

function locateChild(root: string, inside: ByteString, name: ByteString): Located {
  const fd = openInRoot(root, fsPath(posix.dirname(inside)), O.PATH | O.DIRECTORY);
  return held(fd, `/proc/self/fd/${fd}/${posix.basename(inside)}`, name);
}

function held(fd: number, path: ByteString, name: ByteString): Located {
  try {
    return { name, path, stat: lstatSync(fsPath(path), { bigint: true }), close: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Opens a folder below an open one without following a link in its place. */
export function openFolder(parent: number, name: ByteString): number {
  return openat2(parent, fsPath(name), O.RDONLY | O.DIRECTORY | O.NOFOLLOW, 0, RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS);
}

const maxLinks = 255;

/**
 * Where a path leads inside the root when all links are followed; what does not exist is kept as it
 * stands. Only to tell of: by the time it is used the links may be others.
 * @returns undefined when a `..` would lead out of the root and `onEscape` is `refuse`; otherwise it stays at the root
 */
export function resolveLinks(
  root: string,
  path: ByteString,
  onEscape: "clamp" | "refuse" = "clamp",
): ByteString | undefined {
  let rest = path.split("/").filter(Boolean);
  let at = "/";
  for (let links = 0; rest.length > 0;) {
    const [part = "", ...after] = rest;
    rest = after;
    if (part === ".") continue;
    if (part === "..") {
      if (at === "/" && onEscape === "refuse") return undefined;
      at = posix.dirname(at);
      continue;
    }
    const child = posix.join(at, part);
    const link = linkAt(`${root}${child}`);
    if (link === undefined) at = child;
    else {
      if (++links > maxLinks) throw new Unknown(`lstat ${textOf(path)}: too many levels of symbolic links`);
      if (link.startsWith("/")) at = "/";
      rest = [...link.split("/").filter(Boolean), ...rest];
    }
  }
  return at;
}

function linkAt(path: ByteString): ByteString | undefined {
  try {
    return readlinkSync(fsPath(path), "latin1");
  } catch {
    // No link, or nothing at all.
    return undefined;
  }
}
