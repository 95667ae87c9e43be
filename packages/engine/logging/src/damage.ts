import { stat } from "node:fs/promises";

/** What of a log could not be read. */
export interface LogDamage {
  /** The file. */
  path: string;
  /** What is the matter with it, in words: "it ends too early". */
  problem: string;
}

/** Whether something else is where a log's live file should be. */
export async function isBlocked(path: string): Promise<boolean> {
  try {
    return !(await stat(path)).isFile();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ELOOP") return true;
    if (code === "ENOENT") return false;
    throw error;
  }
}
