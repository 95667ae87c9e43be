import { chmodSync, chownSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdir, readFile, readdir, readlink, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeFileWhole } from "@longshore/atomicfile";
import { AlreadyExists, FailedPrecondition } from "@longshore/errdefs";
import { parsePlain } from "@longshore/go-json";
import { mountPointsBelow, removeTree, unmountAll } from "@longshore/sys";

/** The directory below root and state that containerd gives its runtime v2 tasks. */
export const taskDir = "io.containerd.runtime.v2.task";
/** The one that it gives the shims of sandboxes. */
export const sandboxDir = "io.containerd.sandbox.controller.v1.shim";

interface IdMapping {
  containerID: number;
  hostID: number;
  size: number;
}

/** The host's id of the container's root group when user namespaces map it. */
function mappedRootGid(spec: Uint8Array): number | undefined {
  if (spec.length === 0) return undefined;
  const { linux } = parsePlain(Buffer.from(spec).toString("utf8")) as {
    linux?: { uidMappings?: IdMapping[]; gidMappings?: IdMapping[] };
  };
  if (!linux?.uidMappings?.length) return undefined;
  const mapping = linux.gidMappings?.find(({ containerID, size }) => containerID <= 0 && 0 < containerID + size);
  return mapping?.hostID;
}

/** Removes a directory so that a crash leaves it either whole or under a hidden name, which the next start removes. */
async function removeByRename(path: string): Promise<void> {
  const hidden = join(dirname(path), `.${path.slice(dirname(path).length + 1)}`);
  try {
    await rename(path, hidden).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
      await removeTree(hidden);
      await rename(path, hidden);
    });
  } catch (error) {
    // An earlier removal may have come as far as here.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  await removeTree(hidden);
}

async function absent<T>(reading: Promise<T>): Promise<T | undefined> {
  return reading.catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
}

/** A task's directory: the OCI bundle, with containerd's and the shim's own files beside it. */
export class Bundle {
  readonly namespace: string;
  readonly id: string;
  readonly path: string;

  /** @param dir whose bundle it is: `taskDir` or `sandboxDir` */
  constructor(state: string, namespace: string, id: string, dir = taskDir) {
    this.namespace = namespace;
    this.id = id;
    this.path = join(state, dir, namespace, id);
  }

  /**
   * Makes the bundle and the runtime's working directory.
   * @throws AlreadyExists when there is one of that id
   */
  static async create(
    root: string,
    state: string,
    namespace: string,
    id: string,
    spec: Uint8Array,
    dir = taskDir,
  ): Promise<Bundle> {
    const bundle = new Bundle(state, namespace, id, dir);
    const work = join(root, dir, namespace, id);
    const gid = mappedRootGid(spec);
    // At once, since each takes microseconds, and a way to another thread and back takes longer than all of them.
    mkdirSync(dirname(bundle.path), { recursive: true, mode: 0o711 });
    mkdirSync(dirname(work), { recursive: true, mode: 0o711 });
    try {
      mkdirSync(bundle.path, 0o700);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST")
        throw new AlreadyExists(`task ${id}: already exists`, { cause: error });
      throw error;
    }
    try {
      if (gid !== undefined) {
        chownSync(bundle.path, 0, gid);
        chmodSync(bundle.path, 0o710);
      }
      mkdirSync(join(bundle.path, "rootfs"), 0o711);
      // What a task of the same name left behind is not ours to reuse.
      if (existsSync(work)) await removeTree(work);
      mkdirSync(work, 0o711);
      symlinkSync(work, join(bundle.path, "work"));
      if (spec.length > 0) writeFileSync(join(bundle.path, "config.json"), spec);
      return bundle;
    } catch (error) {
      await bundle.delete();
      throw error;
    }
  }

  /** Makes a directory for criu images; on disk, for they may be as large as the container's memory. */
  async makeCheckpointDir(): Promise<string> {
    const path = join(await readlink(this.file("work")), "checkpoint");
    await mkdir(path, { mode: 0o700 });
    return path;
  }

  /** Path of one of the bundle's files. */
  file(name: string): string {
    return join(this.path, name);
  }

  /** The text of a file, or nothing when there is none. */
  read(name: string): Promise<string | undefined> {
    return absent(readFile(this.file(name), "utf8"));
  }

  /** A killed containerd leaves the old or the new text, whole; no task outlives a boot, so nothing is synced. */
  write(name: string, text: string, mode?: number): Promise<void> {
    return writeFileWhole(this.file(name), text, mode);
  }

  /** Whether nothing was written yet: its making was interrupted. */
  async isEmpty(): Promise<boolean> {
    return ((await absent(readdir(this.path))) ?? []).length === 0;
  }

  /** Unmounts the root file system and removes bundle and working directory; both may be gone already. */
  async delete(): Promise<void> {
    const work = await absent(readlink(this.file("work")));
    unmountBelow(this.path);
    await removeByRename(this.path);
    if (work !== undefined) await removeByRename(work);
  }
}

/**
 * Unmounts all that lies below a directory, the newest first.
 * @throws when something stays: the directory cannot be removed then
 */
export function unmountBelow(path: string): void {
  const mounts = mountPointsBelow(path);
  for (const mount of mounts.toReversed()) unmountAll(mount);
  const [left] = mounts.length === 0 ? [] : mountPointsBelow(path);
  if (left !== undefined) throw new FailedPrecondition(`unmount ${left}: still mounted`);
}

/** What the state directory holds: whole bundles, and the hidden rests of interrupted removals. */
export async function listBundles(state: string, dir = taskDir): Promise<{ bundles: Bundle[]; rests: string[] }> {
  const base = join(state, dir);
  const bundles: Bundle[] = [];
  const rests: string[] = [];
  for (const namespace of await directories(base)) {
    for (const id of await directories(join(base, namespace))) {
      if (id.startsWith(".")) rests.push(join(base, namespace, id));
      else bundles.push(new Bundle(state, namespace, id, dir));
    }
  }
  return { bundles, rests };
}

/** Working directories below `root` whose task is gone. */
export async function orphanedWork(
  root: string,
  has: (namespace: string, id: string) => boolean,
  dir = taskDir,
): Promise<string[]> {
  const base = join(root, dir);
  const found: string[] = [];
  for (const namespace of await directories(base)) {
    for (const id of await directories(join(base, namespace))) {
      if (!has(namespace, id)) found.push(join(base, namespace, id));
    }
  }
  return found;
}

async function directories(path: string): Promise<string[]> {
  const entries = (await absent(readdir(path, { withFileTypes: true }))) ?? [];
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}
