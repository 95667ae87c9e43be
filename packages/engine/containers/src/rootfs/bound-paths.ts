import { createHash } from "node:crypto";
import { closeSync, fstatSync, lstatSync, openSync, readlinkSync, realpathSync } from "node:fs";
import { lstat, mkdir, readdir, rmdir, unlink, writeFile } from "node:fs/promises";
import { isAbsolute, join, relative, resolve } from "node:path";
import { InvalidArgument, NotFound } from "@longshore/errdefs";
import { mountAll, type MountSpec, O, openat2, RESOLVE, unmountAll } from "@longshore/sys";
import type { Context } from "../model/context.ts";

/**
 * Mounts that the engine makes for a container's mount points, one folder for each container:
 * what was checked stays what is mounted, whatever others rename meanwhile.
 */
function root(context: Context): string {
  return join(context.settings.execRoot, "bound");
}

/** The place of the mount for one destination. `kind` tells several of one destination apart. */
export function placeOf(context: Context, id: string, destination: string, kind: string): string {
  return join(root(context), id, `${createHash("sha256").update(destination).digest("hex").slice(0, 16)}-${kind}`);
}

/**
 * Mounts `mounts` for a container's destination.
 * @returns the path on the host
 */
export async function mountFor(
  context: Context,
  id: string,
  destination: string,
  mounts: readonly MountSpec[],
): Promise<string> {
  const place = placeOf(context, id, destination, "root");
  await mkdir(place, { recursive: true, mode: 0o700 });
  unmountAll(place);
  mountAll(mounts, place);
  return place;
}

/**
 * Mounts what lies at `subpath` below `base` for a container's destination. Symbolic links may not lead out.
 * @returns the path on the host
 * @throws NotFound, InvalidArgument with Docker's texts
 */
export async function bindBelow(
  context: Context,
  id: string,
  destination: string,
  base: string,
  subpath: string,
): Promise<string> {
  const fd = openBelow(base, subpath);
  try {
    const place = placeOf(context, id, destination, "sub");
    await mkdir(join(root(context), id), { recursive: true, mode: 0o700 });
    unmountAll(place);
    if (fstatSync(fd).isDirectory()) await mkdir(place, { recursive: true });
    else await writeFile(place, "");
    mountAll([{ type: "bind", source: `/proc/self/fd/${fd}`, options: ["bind"] }], place);
    return place;
  } finally {
    closeSync(fd);
  }
}

function openBelow(base: string, subpath: string): number {
  const path = join(base, subpath);
  const inside = relative(realpathSync(base), resolved(path));
  if (inside === ".." || inside.startsWith("../../") || isAbsolute(inside))
    throw new InvalidArgument(`path concatenation escapes the base directory, base: ${base}, subpath: ${subpath}`);
  const directory = openSync(base, O.PATH | O.DIRECTORY);
  try {
    // Without links it is the path that was judged, or it has been exchanged since.
    return openat2(
      directory,
      inside === "" ? "." : inside,
      O.PATH,
      0,
      RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS | RESOLVE.NO_MAGICLINKS,
    );
  } finally {
    closeSync(directory);
  }
}

function resolved(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
    const at = missingPart(path);
    throw new NotFound(
      `cannot access path ${path}: lstat ${at}: ${code === "ENOENT" ? "no such file or directory" : "not a directory"}`,
      { cause: error },
    );
  }
}

/** The first path, links followed, that is not there. */
function missingPart(path: string): string {
  let at = "/";
  const rest = path.split("/");
  for (let steps = 0; steps < 1000 && rest.length > 0; steps++) {
    const next = resolve(at, rest.shift() ?? "");
    const found = lstatSync(next, { throwIfNoEntry: false });
    if (found === undefined) return next;
    if (!found.isSymbolicLink()) {
      at = next;
      continue;
    }
    const target = readlinkSync(next);
    if (isAbsolute(target)) at = "/";
    rest.unshift(...target.split("/"));
  }
  return path;
}

/** Unmounts all that was mounted for a container. Only empty folders and files are removed. */
export async function releaseBound(context: Context, id: string): Promise<void> {
  const folder = join(root(context), id);
  const names = await readdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  });
  if (names === undefined) return;
  for (const name of names) {
    const place = join(folder, name);
    unmountAll(place);
    await ((await lstat(place)).isDirectory() ? rmdir(place) : unlink(place));
  }
  await rmdir(folder);
}

/** Containers for which something is, or was, mounted. */
export async function boundContainers(context: Context): Promise<string[]> {
  await mkdir(root(context), { recursive: true, mode: 0o700 });
  return await readdir(root(context));
}
