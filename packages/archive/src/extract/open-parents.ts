import { chmodSync, chownSync, closeSync, mkdirSync } from "node:fs";
import { O, RESOLVE, openInRoot, openat2 } from "@longshore/sys";
import type { ByteString } from "../tar/header.ts";
import type { Parents } from "./parents.ts";
import { codeOf, fsPath, pathError, splitName } from "./path.ts";

/** Folders kept open at a time; a depth-first archive needs few. */
const maxOpen = 64;

/**
 * Resolves parents in a root that others may write to meanwhile (a running container): every folder
 * is opened with openat2 inside the container's root and used through its descriptor.
 */
export class OpenParents implements Parents {
  readonly #root: number;
  readonly #base: ByteString;
  readonly #owner: { uid: number; gid: number };
  readonly #open = new Map<ByteString, number>();

  /**
   * @param root the container's root folder
   * @param base folder inside it that names count from; links in it are followed inside the root
   * @param owner owner of folders that have to be made
   */
  constructor(root: ByteString, base: ByteString, owner: { uid: number; gid: number }) {
    this.#root = openInRoot(root, ".", O.PATH | O.DIRECTORY);
    this.#base = base;
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
    let fd: number;
    try {
      fd = this.#openat(dir);
    } catch (error) {
      if (codeOf(error) === "ENOTDIR") throw pathError("openat", dir, "not a directory", error);
      if (codeOf(error) !== "ENOENT" || !create || dir === "") throw error;
      this.#make(dir);
      fd = this.#openat(dir);
    }
    // Only the least recently used is closed: the caller may hold paths through the others.
    for (const [oldest, old] of this.#open) {
      if (this.#open.size < maxOpen) break;
      closeSync(old);
      this.#open.delete(oldest);
    }
    this.#open.set(dir, fd);
    return fd;
  }

  #openat(dir: ByteString): number {
    const path = dir === "" ? this.#base : `${this.#base}/${dir}`;
    return openat2(this.#root, fsPath(path || "."), O.PATH | O.DIRECTORY, 0, RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS);
  }

  #make(dir: ByteString): void {
    const { dir: above, base } = splitName(dir);
    const path = fsPath(`${this.resolve(above, true)}/${base}`);
    mkdirSync(path, 0o755);
    const fd = openat2(this.#descriptor(above, true), fsPath(base), O.RDONLY | O.DIRECTORY, 0, RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS);
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
