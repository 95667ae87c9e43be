import { readFile } from "node:fs/promises";
import { writeFileAtomic } from "@longshore/atomicfile";

/** How far a log has been delivered. */
export interface Position {
  /** Of the file, whatever it is called by now: `device:inode`. */
  file: string;
  /** Behind the last line that was delivered, in bytes; of what the file was before it was compressed. */
  offset: number;
  /** Of that line, as it says itself. */
  time?: string;
}

/** What a feed keeps across restarts. */
export interface FeedState {
  position?: Position;
  /** The FIFO that the plugin was told to read. */
  fifo?: string;
}

/** @returns an empty state when there is none, or none that can be read: then all is delivered once more */
export async function readFeedState(path: string): Promise<FeedState> {
  try {
    const state = JSON.parse(await readFile(path, "utf8")) as FeedState;
    return {
      ...(typeof state.position?.file === "string" && Number.isSafeInteger(state.position.offset)
        ? { position: state.position }
        : {}),
      ...(typeof state.fifo === "string" ? { fifo: state.fifo } : {}),
    };
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
}

export async function writeFeedState(path: string, state: FeedState): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(state)}\n`);
}
