import type { BigIntStats } from "node:fs";
import { posix } from "node:path";
import { byteString, textOf } from "../tar/header.ts";
import { locate, resolveLinks } from "./locate.ts";

/** What `docker cp` asks of a path: Docker's `ContainerPathStat`. */
export interface PathStat {
  name: string;
  /** Bytes. */
  size: number;
  /** Go's `os.FileMode`. */
  mode: number;
  /** RFC 3339 with nanoseconds. */
  mtime: string;
  /** Where a symbolic link leads inside the container; "" for anything else. */
  linkTarget: string;
}

/** Go's `os.FileMode`: permissions in the low nine bits, kinds and setuid from the top down. */
function goMode(stat: BigIntStats): number {
  const mode = Number(stat.mode);
  let result = mode & 0o777;
  if (stat.isDirectory()) result |= 1 << 31;
  if (stat.isSymbolicLink()) result |= 1 << 27;
  if (stat.isBlockDevice() || stat.isCharacterDevice()) result |= 1 << 26;
  if (stat.isFIFO()) result |= 1 << 25;
  if (stat.isSocket()) result |= 1 << 24;
  if ((mode & 0o4000) !== 0) result |= 1 << 23;
  if ((mode & 0o2000) !== 0) result |= 1 << 22;
  if (stat.isCharacterDevice()) result |= 1 << 21;
  if ((mode & 0o1000) !== 0) result |= 1 << 20;
  return result >>> 0;
}

function rfc3339(nanoseconds: bigint): string {
  const fraction = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = (nanoseconds - fraction) / 1_000_000_000n;
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  const digits = fraction === 0n ? "" : `.${String(fraction).padStart(9, "0").replace(/0+$/, "")}`;
  return `${whole}${digits}Z`;
}

/**
 * Looks at a path in a container's root.
 * @throws NotFound, Unknown `lstat /a/b/: not a directory`
 */
export function statPath(root: string, path: string): PathStat {
  const located = locate(root, path);
  try {
    const { stat } = located;
    return {
      name: textOf(located.name),
      size: Number(stat.size),
      mode: goMode(stat),
      mtime: rfc3339(stat.mtimeNs),
      linkTarget: stat.isSymbolicLink()
        ? textOf(resolveLinks(byteString(root), byteString(posix.normalize(`/${path}`))) ?? "")
        : "",
    };
  } finally {
    located.close();
  }
}
