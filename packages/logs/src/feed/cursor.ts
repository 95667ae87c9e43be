import type { FileHandle } from "node:fs/promises";
import { followingFile } from "../following-file.ts";
import { LiveFile } from "../live-file.ts";
import { identityOf, openAll } from "../open-all.ts";
import type { Position } from "./position.ts";

/** One line of a log, and where the next one begins. */
export interface PlacedLine {
  text: string;
  next: Position;
}

/** Reads a log whose rotated files are not compressed, line by line from a position on. */
export class LogCursor {
  readonly #path: string;
  #from: Position | undefined;
  #live: LiveFile | undefined;
  #file = "";

  /** @param path of the live file; @param from the oldest line that is left when it is `undefined`, or its file is gone */
  constructor(path: string, from: Position | undefined) {
    this.#path = path;
    this.#from = from;
  }

  /** The lines that have come since the last call; none when there are no more for now. */
  async next(): Promise<PlacedLine[]> {
    if (this.#live === undefined && !(await this.#open())) return [];
    const lines = await this.#read();
    if (lines.length > 0) return lines;
    const following = await followingFile(this.#path, this.#live?.handle);
    if (following === undefined) return [];
    // What came between the two looks.
    const rest = await this.#read();
    if (rest.length > 0) {
      await following.handle.close();
      return rest;
    }
    await this.#use(following.handle, 0);
    return this.next();
  }

  async #open(): Promise<boolean> {
    const { live, rotated } = await openAll(this.#path);
    const handles = [...rotated.map(({ handle }) => handle), ...(live === undefined ? [] : [live])];
    const identities = await Promise.all(handles.map((handle) => identityOf(handle)));
    const at = Math.max(0, identities.indexOf(this.#from?.file));
    const chosen = handles[at];
    await Promise.all(handles.filter((handle) => handle !== chosen).map((handle) => handle.close()));
    if (chosen === undefined) return false;
    const known = this.#from !== undefined && identities[at] === this.#from.file;
    await this.#use(chosen, known ? (this.#from?.offset ?? 0) : 0);
    return true;
  }

  async #use(handle: FileHandle, offset: number): Promise<void> {
    await this.#live?.close();
    this.#live = new LiveFile(handle, offset);
    this.#file = (await identityOf(handle)) ?? "";
  }

  async #read(): Promise<PlacedLine[]> {
    const bytes = await this.#live?.next();
    if (this.#live === undefined || bytes === undefined || bytes.length === 0) return [];
    let offset = this.#live.offset - bytes.length;
    const lines: PlacedLine[] = [];
    for (let begin = 0; begin < bytes.length; ) {
      const end = bytes.indexOf(10, begin) + 1;
      offset += end - begin;
      lines.push({ text: bytes.toString("utf8", begin, end), next: { file: this.#file, offset } });
      begin = end;
    }
    return lines;
  }

  async close(): Promise<void> {
    await this.#live?.close();
    this.#live = undefined;
  }
}
