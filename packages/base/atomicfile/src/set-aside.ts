import { readdirSync, renameSync } from "node:fs";
import { basename, dirname, join } from "node:path";

const mark = ".damaged-";

/**
 * Renames a file that cannot be read to `<path>.damaged-<time>`, so that a new one can take its place.
 * @param companions suffixes of files that belong to it and go along, before it, as far as they are there
 * @returns its new path
 * @throws ENOENT when there is none
 */
export function setAside(path: string, companions: readonly string[] = []): string {
  const aside = `${path}${mark}${Date.now()}`;
  for (const suffix of companions) {
    try {
      renameSync(path + suffix, aside + suffix);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  renameSync(path, aside);
  return aside;
}

/** What was set aside in place of `path`, of earlier starts too; without companions of it. */
export function filesSetAside(path: string, companions: readonly string[] = []): string[] {
  const dir = dirname(path);
  return readdirSync(dir)
    .filter(
      (name) => name.startsWith(`${basename(path)}${mark}`) && !companions.some((suffix) => name.endsWith(suffix)),
    )
    .map((name) => join(dir, name));
}
