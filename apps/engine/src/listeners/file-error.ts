import { getSystemErrorMessage } from "node:util";

/** A failed `open` in the words of dockerd: `open /x: no such file or directory`. */
export function goFileError(error: unknown, path: string): string {
  const { errno } = error as NodeJS.ErrnoException;
  return errno === undefined ? String(error) : `open ${path}: ${getSystemErrorMessage(errno)}`;
}
