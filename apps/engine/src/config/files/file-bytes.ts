import { readFile } from "node:fs/promises";
import { NotFound } from "@longshore/errdefs";

/** A configuration file; one that is missing is empty unless it is required. @throws NotFound in Go's words, and the system's other errors */
export async function readBytes(path: string, required: boolean): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    if (required) throw new NotFound(`open ${path}: no such file or directory`, { cause: error });
    return new Uint8Array();
  }
}
