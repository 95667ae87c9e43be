import type { FileHandle } from "node:fs/promises";
import { followingFile } from "./following-file.ts";
import type { FollowerLock } from "./follower-lock.ts";
import { identityOf, openAll, type OpenRotated } from "./open-all.ts";

/** The log may rotate between its opening and the claim; so often it is opened anew. */
const attempts = 50;

/** All files of a log as they are at one moment, the live one claimed for a follower. */
export async function openFollowed(
  path: string,
  hold: FollowerLock | undefined,
): Promise<{ live: FileHandle | undefined; rotated: OpenRotated[] }> {
  for (let attempt = 1; ; attempt++) {
    const opened = await openAll(path);
    const { live, rotated } = opened;
    if (hold === undefined || live === undefined || attempt === attempts) return opened;
    if (await claim(path, live, hold)) return opened;
    await Promise.all([live, ...rotated.map(({ handle }) => handle)].map((handle) => handle.close()));
  }
}

/**
 * The file that comes behind `current`, claimed; `undefined` while that is the live one. `current` keeps its claim
 * until it is closed.
 */
export async function nextFollowed(
  path: string,
  current: FileHandle | undefined,
  hold: FollowerLock,
): Promise<{ handle: FileHandle; compressed: boolean } | undefined> {
  // A reader that was away for long is back at the end of what there is.
  if (current !== undefined && !hold.held && (await claim(path, current, hold))) return undefined;
  const next = await followingFile(path, current);
  if (next?.compressed === true) hold.lose();
  else if (next !== undefined) await claim(path, next.handle, hold);
  return next;
}

/** Claims a file for a follower, if it is the live one. @returns whether it is */
export async function claim(path: string, handle: FileHandle, hold: FollowerLock): Promise<boolean> {
  if (hold.take(handle) && (await isLive(path, handle))) return true;
  hold.lose();
  return false;
}

async function isLive(path: string, handle: FileHandle): Promise<boolean> {
  return (await identityOf(path)) === (await identityOf(handle));
}
