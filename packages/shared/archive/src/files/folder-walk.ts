import { type BigIntStats, closeSync, fstatSync, lstatSync, readdirSync } from "node:fs";
import { O, openat2 } from "@longshore/sys";
import { codeOf, fsPath } from "../extract/path.ts";
import type { ByteString } from "../tar/header.ts";
import { openFolder } from "./locate.ts";

/** Folders kept open at a time, besides the first one: the innermost. */
const maxOpen = 32;

export interface Found {
  /** For file calls; its last component must not be followed. */
  path: ByteString;
  /** Below the folder that the walk began in. */
  name: ByteString;
  stat: BigIntStats;
}

/** A folder on the way, with what is still to be told of it. */
interface Level {
  name: ByteString;
  names: ByteString[];
  next: number;
  dev: bigint;
  ino: bigint;
  /** Undefined while it is closed. */
  fd: number | undefined;
}

/** Removed, or replaced by something else, since it was listed. */
function isGone(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "ELOOP"].includes(codeOf(error) ?? "");
}

function enter(fd: number, name: ByteString): Level {
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return { name, names: readdirSync(`/proc/self/fd/${fd}`, { encoding: "latin1" }).sort(), next: 0, dev, ino, fd };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * All below an open folder, which is closed at the end: folders before what they hold, in the order of
 * names. However deep the folders lie in each other, few of them are open, and nothing recurses.
 */
export function* filesBelow(folder: number): Generator<Found> {
  const levels = [enter(folder, "")];
  try {
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const name = level.names[level.next++];
      if (name === undefined || level.fd === undefined) {
        leave(levels);
        continue;
      }
      const path = `/proc/self/fd/${level.fd}/${name}`;
      const stat: BigIntStats | undefined = lstatSync(fsPath(path), { bigint: true, throwIfNoEntry: false });
      if (stat === undefined) continue;
      yield { path, name: [...levels.slice(1).map((above) => above.name), name].join("/"), stat };
      if (stat.isDirectory()) descend(levels, level.fd, name);
    }
  } finally {
    for (const { fd } of levels) if (fd !== undefined) closeSync(fd);
  }
}

function descend(levels: Level[], parent: number, name: ByteString): void {
  let fd: number;
  try {
    fd = openFolder(parent, name);
  } catch (error) {
    if (isGone(error)) return;
    throw error;
  }
  levels.push(enter(fd, name));
  const outer = levels[levels.length - 1 - maxOpen];
  if (outer === undefined || outer === levels[0]) return;
  close(outer);
}

function close(level: Level): void {
  if (level.fd !== undefined) closeSync(level.fd);
  level.fd = undefined;
}

/** Goes back to the folder above the innermost one, and opens it again if need be. */
function leave(levels: Level[]): void {
  const done = levels.pop();
  const above = levels.at(-1);
  if (done === undefined) return;
  if (above !== undefined && above.fd === undefined)
    above.fd = done.fd === undefined ? reopen(levels) : (openAbove(done.fd, above) ?? reopen(levels));
  close(done);
}

/** The folder that an open one lies in, if it is still the one that was walked through: another could be anywhere. */
function openAbove(fd: number, { dev, ino }: Level): number | undefined {
  const opened = openat2(fd, "..", O.RDONLY | O.DIRECTORY);
  const stat = fstatSync(opened, { bigint: true });
  if (stat.dev === dev && stat.ino === ino) return opened;
  closeSync(opened);
  return undefined;
}

/** Opens the innermost folder by the names that lead there; undefined when they lead there no more: then there is nothing left of it to tell. */
function reopen(levels: readonly Level[]): number | undefined {
  const [first, ...rest] = levels;
  let at = first?.fd;
  for (const { name, dev, ino } of rest) {
    if (at === undefined) return undefined;
    const from: number = at;
    at = openSame(from, name, dev, ino);
    if (from !== first?.fd) closeSync(from);
  }
  return at;
}

function openSame(parent: number, name: ByteString, dev: bigint, ino: bigint): number | undefined {
  try {
    const fd = openFolder(parent, name);
    const stat = fstatSync(fd, { bigint: true });
    if (stat.dev === dev && stat.ino === ino) return fd;
    closeSync(fd);
    return undefined;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
