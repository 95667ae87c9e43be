import type { ByteString } from "../tar/header.ts";
import { codeOf, errnoText, pathError } from "./path.ts";

/**
 * Finds the folder that an entry goes into. The path it returns has no symbolic link in it, or is
 * held open, so that what is made below it lies inside the root.
 */
export interface Parents {
  /**
   * The path of the folder `dir` (a clean name, "" for the root), to which `/<base>` is added.
   * @param create makes what is missing; without it a missing folder throws ENOENT; something else in its place always throws ENOTDIR
   */
  resolve(dir: ByteString, create: boolean): ByteString;
  /** A folder or symbolic link was removed or replaced: what was found before no longer counts. */
  forget(): void;
  close(): void;
}

/** The folder that `name` goes into, made if need be. @throws BadArchive `openat a/b: not a directory`, for whatever the system refuses */
export function parentOf(parents: Parents, dir: ByteString, name: ByteString): ByteString {
  try {
    return parents.resolve(dir, true);
  } catch (error) {
    throw codeOf(error) === undefined ? error : pathError("openat", name, errnoText(error), error);
  }
}
