import type { FileHandle } from "node:fs/promises";
import { FollowerLock } from "../reading/follower-lock.ts";
import { nanosOf } from "../line.ts";
import { LiveFile } from "../reading/live-file.ts";
import { identityOf, openAll } from "../reading/open-all.ts";
import { claim, nextFollowed } from "../reading/opening.ts";
import { compressedLines } from "../reading/rotated-lines.ts";
import type { Position } from "./position.ts";

/** One line of a log, and where the next one begins. */
export interface PlacedLine {
  text: string;
  next: Position;
}

/** The file that is being read. */
interface Current {
  handle: FileHandle;
  /** `device:inode`. */
  file: string;
  /** Whole lines, as they come; none for now, or no more in a compressed file. */
  read: () => Promise<{ bytes: Buffer; offset: number }>;
  /** Closes what was opened besides. */
  end: () => Promise<unknown>;
}

/** The time in a record, which is where no text of a log can be: quotes in that are escaped. */
function timeIn(text: string): string | undefined {
  const key = '"time":"';
  const at = text.lastIndexOf(key);
  return at < 0 ? undefined : text.slice(at + key.length, text.indexOf('"', at + key.length));
}

/**
 * Reads a log line by line from a position on, rotated files included. A file that has been compressed meanwhile is
 * another one: then what follows the position is known by the time of its line.
 */
export class LogCursor {
  readonly #path: string;
  #from: Position | undefined;
  #current: Current | undefined;
  /** Lines up to this time have been read before; undefined once one is later. */
  #passed: bigint | undefined;
  readonly #hold = new FollowerLock();

  /** @param path of the live file; @param from in the oldest line that is left when it is `undefined`, or its file is gone */
  constructor(path: string, from: Position | undefined) {
    this.#path = path;
    this.#from = from;
  }

  /** The lines that have come since the last call; none when there are no more for now. */
  async next(): Promise<PlacedLine[]> {
    this.#hold.resume();
    const lines = await this.#next();
    if (lines.length > 0) this.#hold.pause();
    return lines;
  }

  async #next(): Promise<PlacedLine[]> {
    while (this.#current !== undefined || (await this.#open())) {
      const lines = await this.#read();
      if (lines === undefined) {
        const following = await nextFollowed(this.#path, this.#current?.handle, this.#hold);
        if (following === undefined) return [];
        // What came between the two looks.
        const rest = await this.#read();
        if (rest === undefined) await this.#use(following, 0);
        else {
          await following.handle.close();
          if (this.#current !== undefined && this.#hold.held) this.#hold.take(this.#current.handle);
          if (rest.length > 0) return rest;
        }
      } else if (lines.length > 0) return lines;
    }
    return [];
  }

  async #open(): Promise<boolean> {
    const { live, rotated } = await openAll(this.#path);
    const files = [...rotated, ...(live === undefined ? [] : [{ handle: live, compressed: false }])];
    const identities = await Promise.all(files.map(({ handle }) => identityOf(handle)));
    const known = identities.indexOf(this.#from?.file);
    const chosen = files[Math.max(0, known)];
    await Promise.all(files.filter((file) => file !== chosen).map(({ handle }) => handle.close()));
    if (chosen === undefined) return false;
    if (known < 0 && this.#from?.time !== undefined) this.#passed = nanosOf(this.#from.time);
    await this.#use(chosen, known < 0 ? 0 : (this.#from?.offset ?? 0));
    if (!chosen.compressed) await claim(this.#path, chosen.handle, this.#hold);
    return true;
  }

  async #use({ handle, compressed }: { handle: FileHandle; compressed: boolean }, from: number): Promise<void> {
    await this.close();
    const file = (await identityOf(handle)) ?? "";
    this.#current = { handle, file, ...(compressed ? unpacked(handle, this.#path, from) : stored(handle, from)) };
  }

  /** @returns undefined when there is nothing more for now; none when what there is has been read before */
  async #read(): Promise<PlacedLine[] | undefined> {
    const { file, read } = this.#current ?? {};
    const found = await read?.();
    if (file === undefined || found === undefined || found.bytes.length === 0) return undefined;
    const { bytes } = found;
    let { offset } = found;
    const lines: PlacedLine[] = [];
    for (let begin = 0; begin < bytes.length;) {
      const end = bytes.indexOf(10, begin) + 1;
      const text = bytes.toString("utf8", begin, end);
      offset += end - begin;
      begin = end;
      const time = timeIn(text);
      if (!this.#isPassed(time)) lines.push({ text, next: { file, offset, ...(time === undefined ? {} : { time }) } });
    }
    return lines;
  }

  #isPassed(time: string | undefined): boolean {
    if (this.#passed === undefined || time === undefined) return false;
    if (nanosOf(time) <= this.#passed) return true;
    this.#passed = undefined;
    return false;
  }

  async close(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    await current?.end();
    await current?.handle.close();
  }
}

function stored(handle: FileHandle, from: number): Pick<Current, "read" | "end"> {
  const live = new LiveFile(handle, from);
  const read: Current["read"] = async () => {
    const bytes = await live.next();
    return { bytes, offset: live.offset - bytes.length };
  };
  return { read, end: async () => undefined };
}

/** @param from offset in what the file was before it was compressed */
function unpacked(handle: FileHandle, path: string, from: number): Pick<Current, "read" | "end"> {
  // What is damaged cannot be delivered; who reads the log is told.
  const pieces = compressedLines(handle, path, () => undefined);
  let end = 0;
  const read: Current["read"] = async () => {
    for (;;) {
      const { value, done } = await pieces.next();
      if (done === true) return { bytes: Buffer.alloc(0), offset: end };
      const begin = end;
      end += value.length;
      if (end > from) return { bytes: value.subarray(Math.max(0, from - begin)), offset: Math.max(begin, from) };
    }
  };
  return { read, end: () => pieces.return(undefined) };
}
