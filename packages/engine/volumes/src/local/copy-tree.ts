import { constants } from "node:fs";
import { chmod, copyFile, lchown, link, lstat, mkdir, readdir, readlink, symlink } from "node:fs/promises";
import type { BigIntStats } from "node:fs";
import { lgetxattr, llistxattr, lsetxattr, lutimes, major, minor, mknod } from "@longshore/sys";

/** Joins without decoding: names need not be UTF-8. */
function join(dir: Buffer, name: Buffer): Buffer {
  return Buffer.concat([dir, Buffer.from("/"), name]);
}

function copyAttributes(from: Buffer, to: Buffer): void {
  for (const name of llistxattr(from)) {
    try {
      lsetxattr(to, name, lgetxattr(from, name));
    } catch (error) {
      // The target's file system need not know what the source's does.
      if (!["ENOTSUP", "EOPNOTSUPP"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
  }
}

/** Owner, mode, extended attributes and times, in the order in which one does not undo the other. */
async function copyMetadata(from: Buffer, to: Buffer, stat: BigIntStats): Promise<void> {
  await lchown(to, Number(stat.uid), Number(stat.gid));
  if (!stat.isSymbolicLink()) await chmod(to, Number(stat.mode & 0o7777n));
  copyAttributes(from, to);
  lutimes(to, stat.atimeNs, stat.mtimeNs);
}

async function copyNode(from: Buffer, to: Buffer, stat: BigIntStats, links: Map<string, Buffer>): Promise<void> {
  const key = `${stat.dev}:${stat.ino}`;
  const known = stat.nlink > 1n && !stat.isDirectory() ? links.get(key) : undefined;
  if (known) {
    await link(known, to);
    return;
  }
  if (stat.isDirectory()) {
    await mkdir(to, 0o700);
    await copyChildren(from, to, links);
  } else if (stat.isSymbolicLink()) await symlink(await readlink(from, "buffer"), to);
  else if (stat.isFile()) await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  else mknod(to, Number(stat.mode), major(Number(stat.rdev)), minor(Number(stat.rdev)));
  if (!stat.isDirectory()) links.set(key, to);
  await copyMetadata(from, to, stat);
}

async function copyChildren(from: Buffer, to: Buffer, links: Map<string, Buffer>): Promise<void> {
  for (const name of await readdir(from, { encoding: "buffer" })) {
    const source = join(from, name);
    await copyNode(source, join(to, name), await lstat(source, { bigint: true }), links);
  }
}

/**
 * Copies what is in a directory, and the directory's own owner, mode and times, into an existing
 * empty one. Symbolic links are copied as they are, hard links stay linked.
 */
export async function copyTree(source: string, target: string): Promise<void> {
  // A descriptor's path is a link itself: with a slash the directory behind it is meant.
  const from = Buffer.from(`${source}/.`);
  const to = Buffer.from(target);
  await copyChildren(from, to, new Map());
  await copyMetadata(from, to, await lstat(from, { bigint: true }));
}
