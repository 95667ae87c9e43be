import { existsSync } from "node:fs";
import { posix } from "node:path";
import type { FileArchiver, PathStat } from "@longshore/archive";
import { Conflict, InvalidArgument, isKind, NotFound } from "@longshore/errdefs";
import { mountAll, type MountSpec } from "@longshore/sys";
import type { MountRecord } from "@longshore/docker-spec";
import { bindBelow, releaseBound } from "./bound-paths.ts";
import type { Container } from "../model/container.ts";
import { type Context, emitContainer } from "../model/context.ts";
import { mountImage } from "./image-mounts.ts";
import { makeMountPoint } from "../model/mount-point.ts";
import { withRootfs } from "./rootfs.ts";
import { attempt } from "../lifecycle/task.ts";
import { execUser } from "../config/root-user.ts";
import { makeBindSource } from "./volume-mounts.ts";

/** `docker cp` both ways, and `docker export`. */
export interface CopyIn {
  path: string;
  noOverwriteDirNonDir: boolean;
  /** Files belong to the container's user instead of the archive's owners. */
  copyUidGid: boolean;
}

/**
 * Does what needs the container's files, which stay as long.
 * @param words what cannot be done, such as `copy from`
 * @throws Conflict when the container is being removed
 */
export function usingFiles<T>(container: Container, words: string, work: () => Promise<T>): Promise<T> {
  const { removing, id, record } = container;
  if (record.State.Dead) throw new Conflict(`You cannot ${words} container ${id} which is Dead`);
  if (removing) throw new Conflict(`You cannot ${words} container ${id} which is being removed`);
  return container.fileUses.during(work);
}

/** Tells apart what is mounted for several copies of one container at a time. */
let sequence = 0;

/**
 * Calls `use` with the container's files: its own file system with what it was created to have mounted, whether it
 * runs or not. The kernel's file systems and tmpfs, which only its processes see, are no such thing.
 */
async function withFiles<T>(context: Context, container: Container, use: (root: string) => Promise<T>): Promise<T> {
  const owner = `${container.id}-files-${sequence++}`;
  try {
    return await withRootfs(context, container.id, async (root) => {
      for (const mount of await bindsOf(context, container, owner))
        if (makeMountPoint(root, mount)) mountAll([mount], root);
      return await use(root);
    });
  } finally {
    await releaseBound(context, owner);
    await releaseVolumes(context, container, owner);
  }
}

/** What to mount, parents before what lies below them. None of it is shared, so that it is unmounted alone. */
async function bindsOf(context: Context, container: Container, owner: string): Promise<MountSpec[]> {
  const readOnly = context.host.recursiveReadOnly === "" ? "rro" : "ro";
  const binds: MountSpec[] = [];
  for (const record of Object.values(container.record.MountPoints).sort(
    (a, b) => a.Destination.length - b.Destination.length,
  )) {
    const source = await sourceOf(context, container, record, owner);
    if (source === "") continue;
    const { NonRecursive, ReadOnlyNonRecursive } = record.Spec.BindOptions ?? {};
    const options = [
      NonRecursive === true ? "bind" : "rbind",
      record.RW ? "rw" : ReadOnlyNonRecursive === true ? "ro" : readOnly,
      "rprivate",
    ];
    binds.push({ type: "bind", source, target: record.Destination, options });
  }
  return [...binds, ...networkFiles(container)];
}

/** The engine's files that every container has, where the user has mounted nothing else. */
function networkFiles(container: Container): MountSpec[] {
  const { MountPoints, ResolvConfPath, HostnamePath, HostsPath } = container.record;
  const files = { "/etc/resolv.conf": ResolvConfPath, "/etc/hostname": HostnamePath, "/etc/hosts": HostsPath };
  return Object.entries(files).flatMap(([target, source]) => {
    if (source === "" || MountPoints[target] !== undefined || !existsSync(source)) return [];
    return [
      { type: "bind", source, target, options: ["bind", container.hostConfig.ReadonlyRootfs ? "ro" : "rw", "private"] },
    ];
  });
}

/** What lies at a mount point, on the host; empty for what only a running container has. */
async function sourceOf(context: Context, container: Container, record: MountRecord, owner: string): Promise<string> {
  if (record.Type === "image") return (await mountImage(context, container.id, record, owner)).path;
  if (record.Type === "bind") await makeBindSource(record);
  if (record.Type !== "volume") return record.Type === "bind" ? record.Source : "";
  const path = await context.volumes.mount(record.Name, owner);
  record.Source = path;
  const subpath = record.Spec.VolumeOptions?.Subpath ?? "";
  return subpath === "" ? path : await bindBelow(context, owner, record.Destination, path, subpath);
}

/** Ends the uses of volumes that `owner` began. */
async function releaseVolumes(context: Context, container: Container, owner: string): Promise<void> {
  for (const { Type, Name } of Object.values(container.record.MountPoints)) {
    if (Type === "volume") await attempt(context, "unmounting a volume", () => context.volumes.unmount(Name, owner));
  }
}

function explained(container: string, path: string, error: unknown): unknown {
  return isKind(error, "NotFound")
    ? new NotFound(`Could not find the file ${path} in container ${container}`, { cause: error })
    : error;
}

function checkPath(path: string): void {
  if (path === "") throw new InvalidArgument("bad parameter: pathcannot be empty");
}

/** Looks at a path. @throws InvalidArgument, NotFound with Docker's messages */
export async function statFile(
  context: Context,
  archiver: FileArchiver,
  container: Container,
  shown: string,
  path: string,
): Promise<PathStat> {
  checkPath(path);
  try {
    return await usingFiles(container, "copy from", () =>
      withFiles(context, container, async (root) => archiver.stat(root, path)),
    );
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
    await usingFiles(container, "copy from", () =>
      withFiles(context, container, async (root) => {
        const stat = archiver.stat(root, path);
        const write = begin(stat);
        begun = true;
        for await (const piece of archiver.pack({ root, path, include: "self" }, signal)) await write(piece);
      }),
    );
  } catch (error) {
    throw begun ? error : explained(shown, path, error);
  }
  emitContainer(context, container, "archive-path");
}

/** Unpacks a tar into a directory of the container. */
export async function copyIn(
  context: Context,
  archiver: FileArchiver,
  container: Container,
  shown: string,
  options: CopyIn,
  source: AsyncIterable<Uint8Array>,
): Promise<void> {
  checkPath(options.path);
  checkWritable(container, options.path);
  const owner = options.copyUidGid ? await execUser(context, container, container.record.Config.User) : undefined;
  try {
    await usingFiles(container, "copy to", () =>
      withFiles(context, container, (root) =>
        archiver.unpack(source, {
          root,
          path: options.path,
          noOverwriteDirNonDir: options.noOverwriteDirNonDir,
          ...(owner === undefined ? {} : { owner: { uid: owner.uid, gid: owner.gid } }),
        }),
      ),
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
  if (mount === undefined && container.hostConfig.ReadonlyRootfs)
    throw new InvalidArgument("container rootfs is marked read-only");
}

/** Streams the whole file system as a tar, volumes left out: `begin` is asked for the way out when nothing is in the way. */
export async function exportFiles(
  context: Context,
  archiver: FileArchiver,
  container: Container,
  begin: () => (piece: Uint8Array) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  await usingFiles(container, "export", () =>
    withRootfs(context, container.id, async (root) => {
      const write = begin();
      for await (const piece of archiver.pack({ root, path: "/", include: "children" }, signal)) await write(piece);
    }),
  );
  emitContainer(context, container, "export");
}
