import { ChangeWatch } from "./change-watch.ts";
import { isBlocked, type LogDamage } from "../damage.ts";
import { tailOffset } from "./files.ts";
import { FollowerLock } from "./follower-lock.ts";
import { LiveFile } from "./live-file.ts";
import { identityOf } from "./open-all.ts";
import { nextFollowed, openFollowed } from "./opening.ts";
import { type LogShow, renderRecords } from "../render.ts";
import { allOf, compressedLines, lastOf } from "./rotated-lines.ts";

/** A place in a log: so many bytes of a file (`device:inode`), and all files that are older. */
export interface LogEnd {
  file: string;
  size: number;
}

export interface ReadOptions {
  /** How many lines from the end; negative for all. */
  tail: number;
  /** Goes on with new lines until `ended` aborts; then the rest is read and the reading ends. */
  follow: boolean;
  ended: AbortSignal;
  /** What comes behind is left out. */
  end?: LogEnd | undefined;
  /** Stops at once. */
  signal: AbortSignal;
  /** Is told what of the log cannot be read; the rest of it is read nevertheless. */
  damaged: (damage: LogDamage) => void;
}

/** A log whose files have been opened: what is read is what they were at that moment, and with `follow` what comes. */
export interface OpenLog {
  read: () => AsyncGenerator<Uint8Array>;
  /** Needed when it was not read to its end. */
  close: () => Promise<void>;
}

/**
 * Opens a log, rotated files included, to read it oldest line first, as it is sent to a client. Following survives
 * rotation: the file that was live is read to its end under its new name before the next one is begun. What cannot
 * be read is left out and told to `damaged`.
 * @param path of the live file; the log may be absent still
 */
export async function openLog(path: string, options: ReadOptions, show: LogShow): Promise<OpenLog> {
  if (await isBlocked(path)) options.damaged({ path, problem: "it is no file" });
  const watcher = options.follow && !options.ended.aborted ? new ChangeWatch(path) : undefined;
  const hold = watcher === undefined ? undefined : new FollowerLock();
  const opened = await openAtTail(path, options, hold).catch((error: unknown) => {
    watcher?.close();
    throw error;
  });
  const close = async (): Promise<void> => {
    watcher?.close();
    await opened.close();
  };
  return {
    read: () =>
      shown(
        rawLines(path, options, opened, watcher === undefined || hold === undefined ? undefined : { watcher, hold }),
        path,
        options,
        show,
        close,
      ),
    close,
  };
}

async function* shown(
  raw: AsyncGenerator<Buffer>,
  path: string,
  options: ReadOptions,
  show: LogShow,
  close: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  let damagedLines = 0;
  try {
    for await (const lines of raw) {
      const { pieces, damaged, over } = renderRecords(lines, show);
      // A follower may come upon the middle of a line, after the log was emptied and filled again.
      if (!options.follow) damagedLines += damaged;
      const [first] = pieces;
      if (first !== undefined) yield pieces.length === 1 ? first : Buffer.concat(pieces);
      if (over) return;
    }
  } finally {
    await close();
    if (damagedLines > 0)
      options.damaged({
        path,
        problem: `${damagedLines} of its lines ${damagedLines === 1 ? "is no record" : "are no records"}`,
      });
  }
}

/** What a reader needs that follows. */
interface Following {
  watcher: ChangeWatch;
  hold: FollowerLock;
}

async function* rawLines(
  path: string,
  options: ReadOptions,
  opened: Opened,
  following: Following | undefined,
): AsyncGenerator<Buffer> {
  for await (const lines of unclaimedLines(path, options, opened, following)) {
    following?.hold.pause();
    yield lines;
    following?.hold.resume();
  }
}

async function* unclaimedLines(
  path: string,
  options: ReadOptions,
  { old, live, close }: Opened,
  following: Following | undefined,
): AsyncGenerator<Buffer> {
  let current = live;
  try {
    yield* old();
    for (;;) {
      // Whoever ended the container wrote its last line before.
      const last = following === undefined || options.ended.aborted;
      const lines = (await current?.next()) ?? Buffer.alloc(0);
      if (lines.length > 0) yield lines;
      if (options.signal.aborted) return;
      if (lines.length > 0) continue;
      const next = following === undefined ? undefined : await nextFollowed(path, current?.handle, following.hold);
      if (next !== undefined) {
        for (let rest = await current?.next(); rest !== undefined && rest.length > 0; rest = await current?.next())
          yield rest;
        await current?.handle.close();
        current = new LiveFile(next.handle, 0);
        if (next.compressed) {
          yield* compressedLines(next.handle, path, options.damaged);
          // Nothing comes behind its end: what is read next is the file that follows it.
          current = new LiveFile(next.handle, 0, 0);
        }
        continue;
      }
      if (last) return;
      await following.watcher.wait(AbortSignal.any([options.signal, options.ended]));
    }
  } finally {
    await close();
    await current?.handle.close();
  }
}

interface Opened {
  /** What the rotated files give. */
  old: () => AsyncGenerator<Buffer>;
  live: LiveFile | undefined;
  close: () => Promise<void>;
}

async function openAtTail(
  path: string,
  { tail, damaged, end }: ReadOptions,
  hold: FollowerLock | undefined,
): Promise<Opened> {
  const { live: handle, rotated, most } = await openUpTo(path, end, hold);
  const close = async (): Promise<void> => {
    for (const file of rotated.splice(0)) await file.handle.close();
    await handle?.close();
  };
  const size = handle === undefined ? 0 : Math.min(most, (await handle.stat()).size);
  // A container may write faster than we read: without follow, what is there now is all.
  const limit = hold === undefined ? size : Number.POSITIVE_INFINITY;
  if (tail < 0)
    return {
      old: () => allOf(rotated, damaged),
      live: handle === undefined ? undefined : new LiveFile(handle, 0, limit),
      close,
    };
  if (handle !== undefined && tail === 0)
    return { old: () => allOf([], damaged), live: new LiveFile(handle, size, limit), close };
  const { offset, found } = handle === undefined ? { offset: 0, found: 0 } : await tailOffset(handle, size, tail);
  const live = handle === undefined ? undefined : new LiveFile(handle, offset, limit);
  return { old: () => (found >= tail ? allOf([], damaged) : lastOf(rotated, tail - found, damaged)), live, close };
}

/** The files of a log, without those that are newer than the one in which `end` was: that is taken for the live one. */
async function openUpTo(
  path: string,
  end: LogEnd | undefined,
  hold: FollowerLock | undefined,
): Promise<Awaited<ReturnType<typeof openFollowed>> & { most: number }> {
  const { live, rotated } = await openFollowed(path, hold);
  const whole = { live, rotated, most: Number.POSITIVE_INFINITY };
  if (end === undefined || live === undefined) return whole;
  if ((await identityOf(live)) === end.file) return { live, rotated, most: end.size };
  const place = (await Promise.all(rotated.map(({ handle }) => identityOf(handle)))).indexOf(end.file);
  // It has been compressed: what came behind is better seen twice than not at all.
  if (place < 0) return whole;
  const [last, ...newer] = rotated.splice(place);
  await Promise.all([live, ...newer.map(({ handle }) => handle)].map((handle) => handle.close()));
  return { live: last?.handle, rotated, most: end.size };
}
