import { closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { posix } from "node:path";
import { type MountSpec, O, openInRoot } from "@longshore/sys";

function opened<T>(root: string, path: string, use: (fd: number) => T): T | undefined {
  let fd: number;
  try {
    fd = openInRoot(root, path, O.PATH);
  } catch {
    return undefined;
  }
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Sees to it that there is something in a root to mount on, as the runtime does at a start: a folder, or an empty file for a file.
 * @returns false when there cannot be, such as behind a link that leads nowhere
 */
export function makeMountPoint(root: string, { source, target = "/" }: MountSpec): boolean {
  const file = source !== undefined && !(statSync(source, { throwIfNoEntry: false })?.isDirectory() ?? true);
  const parts = posix
    .normalize(target)
    .split("/")
    .filter((part) => part !== "");
  let parent = "/";
  for (const [i, part] of parts.entries()) {
    const path = posix.join(parent, part);
    if (opened(root, path, () => true) === undefined) {
      const made = opened(root, parent, (fd) => {
        const place = `/proc/self/fd/${fd}/${part}`;
        try {
          if (file && i === parts.length - 1) closeSync(openSync(place, "wx", 0o755));
          else mkdirSync(place, 0o755);
          return true;
        } catch {
          return false;
        }
      });
      if (made !== true) return false;
    }
    parent = path;
  }
  return true;
}
