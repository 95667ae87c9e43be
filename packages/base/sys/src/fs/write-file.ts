import { addon } from "../addon.ts";

const native = addon as {
  writeFileWhole(
    temp: string,
    path: string,
    data: Uint8Array,
    mode: number,
    publish: boolean,
    durable: boolean,
  ): Promise<void>;
  renameAll(from: readonly string[], to: readonly string[]): Promise<void>;
};

/** What is to be done with a file that was written beside the one that it will replace. */
export interface WholeFileOptions {
  /** Permissions, which the umask narrows. */
  mode: number;
  /** Whether it takes the other's place now. */
  publish: boolean;
  /** Whether its data, and that it took the place, are on the disk in the end. */
  durable: boolean;
}

/**
 * Writes `temp`, which must not be there, and renames it to `path`, all beside the event loop. What fails leaves no
 * `temp` behind; its error names `path`.
 */
export function writeFileWhole(
  temp: string,
  path: string,
  data: Uint8Array,
  { mode, publish, durable }: WholeFileOptions,
): Promise<void> {
  return native.writeFileWhole(temp, path, data, mode, publish, durable);
}

/**
 * Renames files of one directory, in their order, and syncs it, all beside the event loop. Where one fails, it and
 * those after it are removed.
 */
export function renameAll(from: readonly string[], to: readonly string[]): Promise<void> {
  return native.renameAll(from, to);
}
