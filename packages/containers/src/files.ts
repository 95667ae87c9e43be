import { closeSync } from "node:fs";
import { posix } from "node:path";
import type { FileArchiver, PathStat } from "@longshore/archive";
import { InvalidArgument, isKind, NotFound } from "@longshore/errdefs";
import { mountAll, type MountSpec, O, openInRoot, unmountAll } from "@longshore/sys";
import type { Container } from "./container.ts";
import { type Context, emitContainer } from "./context.ts";
import { rootMounts, withMounts } from "./rootfs.ts";
import { execUser } from "./root-user.ts";

/** `docker cp` both ways, and `docker export`. */
export interface CopyIn {
  path: string;
  noOverwriteDirNonDir: boolean;
  /** Files belong to the container's user instead of the archive's owners. */
  copyUidGid: boolean;
}

/** Calls `use` with the root as the container sees it, its volumes and binds included, whether it runs or not. */
async function withFiles<T>(context: Context, container: Container, use: (root: string) => Promise<T>): Promise<T> {
  if (container.alive) return use(`/proc/${container.record.State.Pid}/root`);
  return withMounts(context, await rootMounts(context, container.id), async (root) => {
    const mounted: string[] = [];
    try {
      for (const mount of bindsOf(container)) {
        if (!exists(root, mount.target ?? "")) continue;
        mountAll([mount], root);
        mounted.unshift(posix.join(root, mount.target ?? ""));
      }
      return await use(root);
    } finally {
      for (const path of mounted) unmountAll(path);
    }
  });
}

/** Not recursive: to unmount a copy of what lies below would, on shared mounts, unmount the original. */
function bindsOf(container: Container): MountSpec[] {
  return Object.values(container.record.MountPoints)
    .filter(({ Type, Source }) => (Type === "volume" || Type === "bind") && Source !== "")
    .sort((a, b) => a.Destination.length - b.Destination.length)
    .map(({ Source, Destination, RW }) => ({ type: "bind", source: Source, target: Destination, options: ["bind", RW ? "rw" : "ro"] }));
}

function exists(root: string, path: string): boolean {
  try {
    closeSync(openInRoot(root, path, O.PATH));
    return true;
  } catch {
    return false;
  }
}

function explained(container: string, path: string, error: unknown): unknown {
  return isKind(error, "NotFound") ? new NotFound(`Could not find the file ${path} in container ${container}`, { cause: error }) : error;
}

function checkPath(path: string): void {
  if (path === "") throw new InvalidArgument("bad parameter: pathcannot be empty");
}

/** Looks at a path. @throws InvalidArgument, NotFound with Docker's messages */
export async function statFile(context: Context, archiver: FileArchiver, container: Container, shown: string, path: string): Promise<PathStat> {
  checkPath(path);
  try {
    return await withFiles(context, container, async (root) => archiver.stat(root, path));
  } catch (error) {
    throw explained(shown, path, error);
  }
}

/** Streams a tar of a path: `begin` gets its stat before the first piece. */
export async function copyOut(
  context: Context,
  archiver: FileArchiver,
  container: Container,
  shown: string,
  path: string,
  begin: (stat: PathStat) => (piece: Uint8Array) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  checkPath(path);
  let begun = false;
  try {
    await withFiles(context, container, async (root) => {
      const stat = archiver.stat(root, path);
      const write = begin(stat);
      begun = true;
      for await (const piece of archiver.pack({ root, path, include: "self" }, signal)) await write(piece);
    });
  } catch (error) {
    throw begun ? error : explained(shown, path, error);
  }
  emitContainer(context, container, "archive-path");
}

/** Unpacks a tar into a directory of the container. */
export async function copyIn(context: Context, archiver: FileArchiver, container: Container, shown: string, options: CopyIn, source: AsyncIterable<Uint8Array>): Promise<void> {
  checkPath(options.path);
  checkWritable(container, options.path);
  const owner = options.copyUidGid ? await execUser(context, container, container.record.Config.User) : undefined;
  try {
    await withFiles(context, container, (root) =>
      archiver.unpack(source, {
        root,
        path: options.path,
        noOverwriteDirNonDir: options.noOverwriteDirNonDir,
        ...(owner === undefined ? {} : { owner: { uid: owner.uid, gid: owner.gid } }),
      }),
    );
  } catch (error) {
    throw explained(shown, options.path, error);
  }
  emitContainer(context, container, "extract-to-dir");
}

/** @throws InvalidArgument when the path lies on something that the container may not write */
function checkWritable(container: Container, path: string): void {
  const clean = posix.normalize(`/${path}`);
  const mount = Object.values(container.record.MountPoints)
    .filter(({ Destination }) => clean === Destination || clean.startsWith(`${Destination}/`))
    .sort((a, b) => b.Destination.length - a.Destination.length)[0];
  if (mount !== undefined && !mount.RW) throw new InvalidArgument("mounted volume is marked read-only");
  if (mount === undefined && container.hostConfig.ReadonlyRootfs) throw new InvalidArgument("container rootfs is marked read-only");
}

/** Streams the whole file system as a tar, volumes left out. */
export async function exportFiles(context: Context, archiver: FileArchiver, container: Container, write: (piece: Uint8Array) => Promise<void>, signal: AbortSignal): Promise<void> {
  await withMounts(context, await rootMounts(context, container.id), async (root) => {
    for await (const piece of archiver.pack({ root, path: "/", include: "children" }, signal)) await write(piece);
  });
  emitContainer(context, container, "export");
}
