import { closeSync, fchownSync, fstatSync, mkdirSync, readlinkSync } from "node:fs";
import { posix } from "node:path";
import { Unknown } from "@longshore/errdefs";
import { O, openInRoot } from "@longshore/sys";
import type { Container } from "../model/container.ts";
import type { Context } from "../model/context.ts";
import { rootMounts, withMounts } from "./rootfs.ts";

/** The working directories that images are known to have, by their chain: they are not looked for again. */
const present = new WeakMap<Context, Map<string, Set<string>>>();
const mostImages = 256;
/** As many links as Linux follows in one path. */
const mostLinks = 40;

/**
 * Makes the working directory of a new container in its file system, with what is missing on the way to it.
 * @throws Unknown with Docker's message when something else is there
 */
export async function makeWorkingDirectory(context: Context, container: Container, chainId: string): Promise<void> {
  const { WorkingDir } = container.record.Config;
  const path = posix.join("/", WorkingDir);
  if (path === "/") return;
  const known = present.get(context) ?? new Map<string, Set<string>>();
  present.set(context, known);
  if (known.get(chainId)?.has(path) === true) return;
  const existed = await withMounts(context, await rootMounts(context, container.id), async (root) =>
    makeDirectories(root, path, WorkingDir),
  );
  if (existed) remember(known, chainId, path);
}

function remember(known: Map<string, Set<string>>, chainId: string, path: string): void {
  const [oldest] = known.keys();
  if (known.size >= mostImages && oldest !== undefined) known.delete(oldest);
  known.set(chainId, (known.get(chainId) ?? new Set()).add(path));
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "";
}

/** Whether a directory is there. @throws Unknown when something else is */
function isDirectory(root: string, path: string, shown: string): boolean {
  let fd: number;
  try {
    fd = openInRoot(root, path, O.PATH);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw new Unknown(`lstat ${path}: ${codeOf(error) === "ENOTDIR" ? "not a directory" : String(error)}`, {
      cause: error,
    });
  }
  try {
    if (fstatSync(fd).isDirectory()) return true;
    throw new Unknown(`Cannot mkdir: ${shown} is not a directory`);
  } finally {
    closeSync(fd);
  }
}

/**
 * Makes a directory below `root`, and what is missing on the way, as a process that has `root` for its root directory would.
 * @param shown the path as it was asked for
 * @returns whether nothing had to be made
 * @throws Unknown with Docker's message when something else is there
 */
export function makeDirectories(root: string, path: string, shown: string, links = 0): boolean {
  if (isDirectory(root, path, shown)) return true;
  const parent = posix.dirname(path);
  makeDirectories(root, parent, shown, links);
  const fd = openInRoot(root, parent, O.PATH | O.DIRECTORY);
  try {
    makeOne(root, fd, path, shown, links);
  } finally {
    closeSync(fd);
  }
  return false;
}

/** Makes the last part of `path` in its parent, or what the link there leads to, as a process of the container would see it. */
function makeOne(root: string, parent: number, path: string, shown: string, links: number): void {
  const place = `/proc/self/fd/${parent}/${posix.basename(path)}`;
  try {
    mkdirSync(place, { mode: 0o755 });
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    if (links >= mostLinks) throw new Unknown(`mkdir ${path}: too many levels of symbolic links`, { cause: error });
    const target = readlinkSync(place);
    // As it stands: `..` behind another link is for the kernel to follow.
    makeDirectories(root, posix.isAbsolute(target) ? target : `${posix.dirname(path)}/${target}`, shown, links + 1);
    return;
  }
  // A parent with the set-group-ID bit would give its group on.
  const made = openInRoot(root, path, O.DIRECTORY);
  try {
    fchownSync(made, 0, 0);
  } finally {
    closeSync(made);
  }
}
