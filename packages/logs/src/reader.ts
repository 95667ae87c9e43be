import { ChangeWatch } from "./change-watch.ts";
import { isBlocked, type LogDamage } from "./damage.ts";
import { tailOffset } from "./files.ts";
import { followingFile } from "./following-file.ts";
import { LiveFile } from "./live-file.ts";
import { openAll } from "./open-all.ts";
import { type LogShow, renderRecords } from "./render.ts";
import { allOf, compressedLines, lastOf } from "./rotated-lines.ts";

export interface ReadOptions {
  /** How many lines from the end; negative for all. */
  tail: number;
  /** Goes on with new lines until `ended` aborts; then the rest is read and the reading ends. */
  follow: boolean;
  ended: AbortSignal;
  /** Stops at once. */
  signal: AbortSignal;
  /** Is told what of the log cannot be read; the rest of it is read nevertheless. */
  damaged: (damage: LogDamage) => void;
}

/**
 * Reads a json-file log, rotated files included, oldest line first, as it is sent to a client. Following survives
 * rotation: the file that was live is read to its end under its new name before the next one is begun. What cannot
 * be read is left out and told to `damaged`.
 * @param path of the live file; the log may be absent still
 */
export async function* readLog(path: string, options: ReadOptions, show: LogShow): AsyncGenerator<Uint8Array> {
  if (await isBlocked(path)) options.damaged({ path, problem: "it is no file" });
  const watcher = options.follow && !options.ended.aborted ? new ChangeWatch(path) : undefined;
  let damagedLines = 0;
  try {
    for await (const lines of rawLines(path, options, watcher)) {
      const { pieces, damaged, over } = renderRecords(lines, show);
      // A follower may come upon the middle of a line, after the log was emptied and filled again.
      if (watcher === undefined) damagedLines += damaged;
      const [first] = pieces;
      if (first !== undefined) yield pieces.length === 1 ? first : Buffer.concat(pieces);
      if (over) return;
    }
  } finally {
    watcher?.close();
    if (damagedLines > 0) options.damaged({ path, problem: `${damagedLines} of its lines ${damagedLines === 1 ? "is no record" : "are no records"}` });
  }
}

async function* rawLines(path: string, options: ReadOptions, watcher: ChangeWatch | undefined): AsyncGenerator<Buffer> {
  const { old, live, close } = await openAtTail(path, options, watcher !== undefined);
  let current = live;
  try {
    yield* old();
    await close();
    for (;;) {
      // Whoever ended the container wrote its last line before.
      const last = watcher === undefined || options.ended.aborted;
      const lines = (await current?.next()) ?? Buffer.alloc(0);
      if (lines.length > 0) yield lines;
      if (options.signal.aborted) return;
      if (lines.length > 0) continue;
      const next = watcher === undefined && current !== undefined ? undefined : await followingFile(path, current?.handle);
      if (next !== undefined) {
        for (let rest = await current?.next(); rest !== undefined && rest.length > 0; rest = await current?.next()) yield rest;
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
      await watcher.wait(AbortSignal.any([options.signal, options.ended]));
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

async function openAtTail(path: string, { tail, damaged }: ReadOptions, follow: boolean): Promise<Opened> {
  const { live: handle, rotated } = await openAll(path);
  const close = async (): Promise<void> => {
    for (const file of rotated.splice(0)) await file.handle.close();
  };
  const size = handle === undefined ? 0 : (await handle.stat()).size;
  // A container may write faster than we read: without follow, what is there now is all.
  const limit = follow ? Number.POSITIVE_INFINITY : size;
  if (tail < 0) return { old: () => allOf(rotated, damaged), live: handle === undefined ? undefined : new LiveFile(handle, 0, limit), close };
  if (handle !== undefined && tail === 0) return { old: () => allOf([], damaged), live: new LiveFile(handle, size, limit), close };
  const { offset, found } = handle === undefined ? { offset: 0, found: 0 } : await tailOffset(handle, size, tail);
  const live = handle === undefined ? undefined : new LiveFile(handle, offset, limit);
  return { old: () => (found >= tail ? allOf([], damaged) : lastOf(rotated, tail - found, damaged)), live, close };
}
