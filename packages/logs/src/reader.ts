import { ChangeWatch } from "./change-watch.ts";
import { open } from "node:fs/promises";
import { linesOf, tailOffset } from "./files.ts";
import { type LogLine, nanosOf, parseLine } from "./line.ts";
import { followingFile } from "./following-file.ts";
import { LiveFile } from "./live-file.ts";
import { openAll, type OpenRotated } from "./open-all.ts";

export interface ReadOptions {
  /** How many lines from the end; negative for all. */
  tail: number;
  /** Nanoseconds since 1970; 0 for no bound. */
  since: bigint;
  until: bigint;
  /** Goes on with new lines until `ended` aborts; then the rest is read and the reading ends. */
  follow: boolean;
  ended: AbortSignal;
  /** Stops at once. */
  signal: AbortSignal;
}

/**
 * Reads a json-file log, rotated files included, oldest line first, in batches: a turn of the event loop for each
 * line would cost more than the line. Following survives rotation:
 * the file that was live is read to its end under its new name before the next one is begun.
 * @param path of the live file; the log may be absent still
 */
export async function* readLog(path: string, options: ReadOptions): AsyncGenerator<LogLine[]> {
  const watcher = options.follow && !options.ended.aborted ? new ChangeWatch(path) : undefined;
  try {
    for await (const texts of rawLines(path, options, watcher)) {
      const lines: LogLine[] = [];
      let ended = false;
      for (const text of texts) {
        const line = parseLine(text);
        if (line === undefined) continue;
        const place = placeOf(line, options);
        ended = place === "after";
        if (ended) break;
        if (place === "within") lines.push(line);
      }
      if (lines.length > 0) yield lines;
      if (ended) return;
    }
  } finally {
    watcher?.close();
  }
}

/** Where a line stands to the bounds in time. */
function placeOf(line: LogLine, { since, until }: ReadOptions): "before" | "within" | "after" {
  if (since === 0n && until === 0n) return "within";
  const nanos = nanosOf(line.time);
  if (nanos < since) return "before";
  return until > 0n && nanos > until ? "after" : "within";
}

async function* rawLines(path: string, options: ReadOptions, watcher: ChangeWatch | undefined): AsyncGenerator<string[]> {
  const { old, live, close } = await openAtTail(path, options.tail, watcher !== undefined);
  let current = live;
  try {
    yield* old();
    await close();
    for (;;) {
      // Whoever ended the container wrote its last line before.
      const last = watcher === undefined || options.ended.aborted;
      const lines = (await current?.next()) ?? [];
      if (lines.length > 0) yield lines;
      if (options.signal.aborted) return;
      if (lines.length > 0) continue;
      const next = watcher === undefined && current !== undefined ? undefined : await followingFile(path, current?.handle);
      if (next !== undefined) {
        for (let rest = await current?.next(); rest !== undefined && rest.length > 0; rest = await current?.next()) yield rest;
        await current?.handle.close();
        current = new LiveFile(next.handle, 0);
        if (next.compressed) {
          // Its stream closes what it reads from.
          yield* linesOf({ handle: await open(`/proc/self/fd/${next.handle.fd}`), compressed: true });
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
  old: () => AsyncGenerator<string[]>;
  live: LiveFile | undefined;
  close: () => Promise<void>;
}

async function openAtTail(path: string, tail: number, follow: boolean): Promise<Opened> {
  const { live: handle, rotated } = await openAll(path);
  const close = async (): Promise<void> => {
    for (const file of rotated.splice(0)) await file.handle.close();
  };
  const size = handle === undefined ? 0 : (await handle.stat()).size;
  // A container may write faster than we read: without follow, what is there now is all.
  const limit = follow ? Number.POSITIVE_INFINITY : size;
  if (tail < 0) return { old: () => allOf(rotated), live: handle === undefined ? undefined : new LiveFile(handle, 0, limit), close };
  if (handle !== undefined && tail === 0) return { old: () => allOf([]), live: new LiveFile(handle, size, limit), close };
  const { offset, found } = handle === undefined ? { offset: 0, found: 0 } : await tailOffset(handle, size, tail);
  const live = handle === undefined ? undefined : new LiveFile(handle, offset, limit);
  return { old: () => (found >= tail ? allOf([]) : lastOf(rotated, tail - found)), live, close };
}

async function* allOf(files: readonly OpenRotated[]): AsyncGenerator<string[]> {
  for (const file of files) yield* linesOf(file);
}

/** The last `count` lines of rotated files, reading no more of them than needed. */
async function* lastOf(files: readonly OpenRotated[], count: number): AsyncGenerator<string[]> {
  const parts: string[][] = [];
  let missing = count;
  for (const file of files.toReversed()) {
    if (missing <= 0) break;
    let lines: string[] = [];
    for await (const more of linesOf(file)) {
      for (const line of more) lines.push(line);
      if (lines.length > 2 * missing + more.length) lines = lines.slice(-missing);
    }
    lines = lines.slice(-missing);
    parts.unshift(lines);
    missing -= lines.length;
  }
  yield* parts;
}
