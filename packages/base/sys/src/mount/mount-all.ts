import { closeSync } from "node:fs";
import { posix } from "node:path";
import { MNT, MS, O } from "../constants.ts";
import { parseMountOptions } from "./mount-options.ts";
import { mount, mountSetattr, umount } from "./mount.ts";
import { openInRoot } from "../fs/open.ts";

/** A mount as containerd's snapshotters and the OCI runtime spec write it. */
export interface MountSpec {
  type: string;
  source: string;
  /** Below the target that all are mounted on; resolved inside it, symbolic links included. */
  target?: string;
  options?: readonly string[];
}

/** mount(2) takes one page for its data, the closing NUL counted. */
const maxData = 4095;

/**
 * Mounts all on `target`, in order; when one fails, those before it are undone and its error is
 * thrown. Overlay layer lists of more than a page are made relative to the folder they share.
 */
export function mountAll(mounts: readonly MountSpec[], target: string): void {
  const done: (() => void)[] = [];
  try {
    for (const spec of mounts) {
      const below = spec.target ?? "";
      if (below === "" || below === "/") {
        mountOne(
          spec,
          (use) => use(target),
          () => done.push(() => unmountAll(target)),
        );
        continue;
      }
      const resolved: AtTarget = (use) => {
        const fd = openInRoot(target, below, O.PATH);
        try {
          use(`/proc/self/fd/${fd}`);
        } finally {
          closeSync(fd);
        }
      };
      // As a path it would be looked up in the host's root, where its links may lead elsewhere.
      mountOne(spec, resolved, () => done.push(() => resolved((path) => umount(path, MNT.DETACH))));
    }
  } catch (error) {
    for (const undo of done.toReversed()) undo();
    throw error;
  }
}

/** Unmounts what lies on `target`, layer by layer; nothing mounted, or no such path, is no error. */
export function unmountAll(target: string, flags: number = MNT.DETACH): void {
  for (;;) {
    try {
      umount(target, flags | MNT.UMOUNT_NOFOLLOW);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EINVAL" || code === "ENOENT") return;
      throw error;
    }
  }
}

/**
 * Unmounts what lies on `target` and all below it, and nothing else: without, mounts that these are copies of
 * would go with them where both are shared.
 */
export function unmountTree(target: string): void {
  try {
    mount("none", target, undefined, MS.PRIVATE | MS.REC);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EINVAL" && code !== "ENOENT") throw error;
  }
  unmountAll(target);
}

/** Calls `use` with a path of the place as it is now: once something is mounted there, a descriptor from before leads below it. */
type AtTarget = (use: (path: string) => void) => void;

function mountOne(spec: MountSpec, at: AtTarget, mounted: () => void): void {
  const { flags, propagation, recursiveAttributes, data } = parseMountOptions(spec.options ?? []);
  const bind = (flags & MS.BIND) !== 0;
  const { text, workdir } = fitData(data);
  at((path) =>
    mount(
      spec.source,
      path,
      bind ? undefined : spec.type,
      bind ? flags & (MS.BIND | MS.REC) : flags,
      bind ? undefined : text,
      workdir,
    ),
  );
  mounted();
  // the kernel ignores all other flags of a first bind mount
  if (bind && (flags & ~(MS.BIND | MS.REC)) !== 0)
    at((path) => mount("none", path, undefined, (flags & ~MS.REC) | MS.REMOUNT));
  for (const flag of propagation) at((path) => mount("none", path, undefined, flag));
  if (recursiveAttributes !== 0) at((path) => mountSetattr(path, { set: recursiveAttributes, recursive: true }));
}

/** Options as one string; too long a `lowerdir` is shortened to paths relative to a working directory. */
function fitData(options: readonly string[]): { text: string; workdir?: string } {
  const text = options.join(",");
  if (Buffer.byteLength(text) <= maxData) return { text };
  const index = options.findIndex((option) => option.startsWith("lowerdir="));
  const layers = options[index]?.slice("lowerdir=".length).split(":") ?? [];
  const workdir = sharedFolder(layers);
  if (workdir === undefined) return { text };
  const relative = layers.map((layer) => posix.relative(workdir, layer));
  return { text: options.with(index, `lowerdir=${relative.join(":")}`).join(","), workdir };
}

function sharedFolder(paths: readonly string[]): string | undefined {
  let shared = paths[0]?.split("/").slice(0, -1) ?? [];
  for (const path of paths) {
    const parts = path.split("/").slice(0, -1);
    const differs = shared.findIndex((part, i) => part !== parts[i]);
    if (differs >= 0) shared = shared.slice(0, differs);
  }
  return shared.length > 1 ? shared.join("/") : undefined;
}
