import { chmodSync, chownSync, closeSync, mkdirSync } from "node:fs";
import { O, RESOLVE, openInRoot, openat2 } from "@longshore/sys";
import { resolveLinks } from "../files/locate.ts";
import type { ByteString } from "../tar/header.ts";
import type { Parents } from "./parents.ts";
import { codeOf, fsPath, pathError, splitName } from "./path.ts";

/** Folders kept open at a time; a depth-first archive needs few. */
const maxOpen = 64;

/**
 * Resolves parents below a folder that others may write to meanwhile (of a running container): every
 * one is opened with openat2 inside that folder and used through its descriptor. As with Docker,
 * absolute links count from the folder, and a relative one that leads out is refused.
 */
export class OpenParents implements Parents {
  readonly #root: number;
  readonly #owner: { uid: number; gid: number };
  readonly #open = new Map<ByteString, number>();

  /**
   * @param root the container's root folder
   * @param base the folder inside it, links followed, that all goes into
   * @param owner owner of folders that have to be made
   */
  constructor(root: ByteString, base: ByteString, owner: { uid: number; gid: number }) {
    this.#root = openInRoot(root, fsPath(base), O.PATH | O.DIRECTORY);
    this.#owner = owner;
  }

  resolve(dir: ByteString, create: boolean): ByteString {
    return `/proc/self/fd/${this.#descriptor(dir, create)}`;
  }

  #descriptor(dir: ByteString, create: boolean): number {
    const held = this.#open.get(dir);
    if (held !== undefined) {
      this.#open.delete(dir);
      this.#open.set(dir, held);
      return held;
    }
    const fd = this.#openOrMake(dir, create);
    // Only the least recently used is closed: the caller may hold paths through the others.
    for (const [oldest, old] of this.#open) {
      if (this.#open.size < maxOpen) break;
      closeSync(old);
      this.#open.delete(oldest);
    }
    this.#open.set(dir, fd);
    return fd;
  }

  #openOrMake(dir: ByteString, create: boolean): number {
    try {
      return this.#openat(dir);
    } catch (error) {
      if (codeOf(error) !== "ENOENT" || !create || dir === "") throw error;
    }
    this.#make(this.#resolved(dir));
    return this.#openat(dir);
  }

  #openat(dir: ByteString): number {
    const path = fsPath(dir || ".");
    const flags = O.PATH | O.DIRECTORY;
    try {
      return openat2(this.#root, path, flags, 0, RESOLVE.BENEATH | RESOLVE.NO_MAGICLINKS);
    } catch (error) {
      if (codeOf(error) !== "EXDEV") throw error;
    }
    this.#resolved(dir);
    return openat2(this.#root, path, flags, 0, RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS);
  }

  /** The clean name that the links in a name lead to. */
  #resolved(dir: ByteString): ByteString {
    const resolved = resolveLinks(`/proc/self/fd/${this.#root}`, dir, "refuse");
    if (resolved === undefined) throw pathError("statat", dir, "path escapes from parent");
    return resolved.slice(1);
  }

  #make(dir: ByteString): void {
    const { dir: above, base } = splitName(dir);
    const parent = this.#descriptor(above, true);
    mkdirSync(fsPath(`/proc/self/fd/${parent}/${base}`), 0o755);
    const fd = openat2(parent, fsPath(base), O.RDONLY | O.DIRECTORY, 0, RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS);
    try {
      chmodSync(`/proc/self/fd/${fd}`, 0o755);
      chownSync(`/proc/self/fd/${fd}`, this.#owner.uid, this.#owner.gid);
    } finally {
      closeSync(fd);
    }
  }

  forget(): void {
    for (const fd of this.#open.values()) closeSync(fd);
    this.#open.clear();
  }

  close(): void {
    this.forget();
    closeSync(this.#root);
  }
}
