import { readdirSync } from "node:fs";
import { join } from "node:path";

/** Folders with the content of images, snapshots and volumes, whose names alone count. */
const opaque = /^(containerd\/io\.containerd\.snapshotter\.v1\.overlayfs\/snapshots|data\/containers\/[^/]+)$/;
/** Names that are given anew each time, what a database keeps beside itself, and what the proxy has while it runs. */
const passing = /\/snapshots\/\d+$|-(wal|shm)$|\.log$|\/proxy\.[a-z]+$/;

/** Everything below `root` that the daemons keep on disk, as sorted paths. */
export function tree(root: string): string[] {
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (!passing.test(path)) found.push(path);
      if (entry.isDirectory() && !opaque.test(folder)) walk(path);
    }
  };
  walk("");
  return found.sort();
}
