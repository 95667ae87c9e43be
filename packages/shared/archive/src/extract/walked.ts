import { type Stats, chmodSync, lchownSync, lstatSync, mkdirSync, readlinkSync, unlinkSync } from "node:fs";
import { lgetxattr, llistxattr, lsetxattr, lutimes } from "@longshore/sys";
import type { ByteString } from "../tar/header.ts";
import { isWhiteoutDevice, setOpaque } from "./overlay.ts";
import type { Parents } from "./parents.ts";
import { fsPath, pathError, splitName } from "./path.ts";

/** As many links as the kernel follows. */
const maxLinks = 40;

/** Folders that are remembered at a time. */
const maxRemembered = 50_000;

export interface WalkedParentsOptions {
  root: ByteString;
  /** Whether the root is an overlay's upper folder, where a character device 0:0 means deleted. */
  overlay: boolean;
  /** The overlay's lower folders, topmost first: a folder missing here is made like theirs. */
  lowers: readonly ByteString[];
}

/**
 * Resolves parents by walking them, link by link, inside a root that nobody else writes to (a layer
 * that is being unpacked). Absolute links count from the root; a relative one that leads out is
 * refused.
 */
export class WalkedParents implements Parents {
  readonly #options: WalkedParentsOptions;
  readonly #resolved = new Map<ByteString, ByteString>();
  /** Folders, relative to the root, known to be real ones. */
  readonly #known = new Set<ByteString>([""]);

  constructor(options: WalkedParentsOptions) {
    this.#options = options;
  }

  resolve(dir: ByteString, create: boolean): ByteString {
    // What was found can be found again.
    if (this.#resolved.size > maxRemembered || this.#known.size > maxRemembered) this.forget();
    let path = this.#resolved.get(dir);
    if (path === undefined) {
      const real = this.#walk("", dir, dir, create, 0);
      path = real === "" ? this.#options.root : `${this.#options.root}/${real}`;
      this.#resolved.set(dir, path);
    }
    return path;
  }

  forget(): void {
    this.#resolved.clear();
    this.#known.clear();
    this.#known.add("");
  }

  close(): void {
    this.forget();
  }

  #walk(from: ByteString, path: ByteString, asked: ByteString, create: boolean, links: number): ByteString {
    if (links > maxLinks) throw pathError("statat", asked, "too many levels of symbolic links");
    const absolute = path.startsWith("/");
    let at = absolute ? "" : from;
    for (const part of path.split("/")) {
      if (part === "" || part === ".") continue;
      if (part === "..") {
        if (at === "" && !absolute) throw pathError("statat", asked, "path escapes from parent");
        at = splitName(at).dir;
        continue;
      }
      const child = at === "" ? part : `${at}/${part}`;
      if (this.#known.has(child)) {
        at = child;
        continue;
      }
      const full = `${this.#options.root}/${child}`;
      const stat = lstatSync(fsPath(full), { throwIfNoEntry: false });
      if (stat?.isSymbolicLink() === true) {
        const target = readlinkSync(fsPath(full), { encoding: "latin1" });
        at = this.#walk(at, target, asked, create, links + 1);
        continue;
      }
      this.#enter(full, child, stat, create);
      this.#known.add(child);
      at = child;
    }
    return at;
  }

  #enter(full: ByteString, child: ByteString, stat: Stats | undefined, create: boolean): void {
    if (stat?.isDirectory() === true) return;
    const whiteout = stat !== undefined && this.#options.overlay && isWhiteoutDevice(stat);
    if (!create && (stat === undefined || whiteout))
      throw Object.assign(new Error("no such file or directory"), { code: "ENOENT" });
    if (stat !== undefined && !whiteout) throw Object.assign(new Error("not a directory"), { code: "ENOTDIR" });
    if (whiteout) unlinkSync(fsPath(full));
    mkdirSync(fsPath(full), 0o755);
    chmodSync(fsPath(full), 0o755);
    // This layer has deleted what lay below, so the new folder must hide it.
    if (whiteout) setOpaque(full);
    else this.#copyLower(full, child);
  }

  /** Gives a folder the owner, mode, attributes and times of the lower one that it will be merged with. */
  #copyLower(full: ByteString, child: ByteString): void {
    for (const lower of this.#options.lowers) {
      const source = fsPath(`${lower}/${child}`);
      const stat = lstatSync(source, { bigint: true, throwIfNoEntry: false });
      if (stat === undefined) continue;
      if (!stat.isDirectory()) return;
      const path = fsPath(full);
      lchownSync(path, Number(stat.uid), Number(stat.gid));
      for (const name of llistxattr(source)) {
        if (!name.startsWith("trusted.overlay.")) lsetxattr(path, name, lgetxattr(source, name));
      }
      chmodSync(path, Number(stat.mode & 0o7777n));
      lutimes(path, stat.atimeNs, stat.mtimeNs);
      return;
    }
  }
}
