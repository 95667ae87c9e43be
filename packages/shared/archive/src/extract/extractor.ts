import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { O, S, lsetxattr, lutimes, mknod } from "@longshore/sys";
import { KeptMemory } from "../limits/memory.ts";
import { BadArchive } from "../tar/errors.ts";
import { type ByteString, type TarHeader, type Timespec, bytesOf, textOf } from "../tar/header.ts";
import type { TarEvent } from "../tar/parser.ts";
import { isWhiteoutDevice, overlayXattrPrefix, setOpaque } from "./overlay.ts";
import { type Parents, parentOf } from "./parents.ts";
import { cleanName, codeOf, errnoText, fsPath, pathError, splitName } from "./path.ts";
import { SparseWriter } from "./sparse-writer.ts";

export interface ExtractorOptions {
  parents: Parents;
  /** Whether existing character devices 0:0 are overlayfs's whiteouts. */
  overlay?: boolean;
  /** Owner of all that is made, instead of the archive's. */
  owner?: { uid: number; gid: number } | undefined;
  /** Refuse to put a folder where there is something else, and the other way round. */
  noOverwriteDirNonDir?: boolean;
  /** Names the root in messages. */
  rootName?: string;
  /** Counts what is remembered until the end. */
  kept?: KeptMemory;
}

const maxId = 0xffff_ffff;
/** What a device number of Linux has room for: 12 and 20 bits. */
const maxMajor = 0xfff;
const maxMinor = 0xf_ffff;

const createFlags = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW;

const nanoseconds = ({ sec, nsec }: Timespec): bigint => BigInt(sec) * 1_000_000_000n + BigInt(nsec);

/** A folder whose time is set when nothing more is made in it. */
interface DirectoryTimes {
  atime: bigint;
  mtime: bigint;
}

/**
 * Makes a tar's entries in a root, synchronously: files, folders, links, devices, fifos with owner,
 * mode, extended attributes and times. What stands in the way is removed.
 */
export class Extractor {
  readonly #options: ExtractorOptions;
  readonly #parents: Parents;
  readonly #kept: KeptMemory;
  readonly #directories = new Map<ByteString, DirectoryTimes>();
  #fd: number | undefined;
  #sparse: SparseWriter | undefined;
  #file: { path: ByteString; header: TarHeader } | undefined;

  constructor(options: ExtractorOptions) {
    this.#options = options;
    this.#parents = options.parents;
    this.#kept = options.kept ?? new KeptMemory();
  }

  /** Takes the parser's events one by one. @throws BadArchive with Docker's message */
  handle(event: TarEvent): void {
    if (event.kind === "entry") this.#entry(event.header);
    else if (this.#fd === undefined) return;
    else if (event.kind === "data") this.#data(event.bytes);
    else this.#endFile();
  }

  #entry(header: TarHeader): void {
    const name = cleanName(header.name);
    if (name === undefined) throw new BadArchive(`invalid entry name "${textOf(header.name)}"`);
    // What an archive says of the root itself counts for nothing, as with containerd and Docker.
    if (name === "") return;
    this.#checkNumbers(header);
    if (header.type === "directory") this.#directory(name, header);
    else if (header.type === "file") this.#openFile(name, header);
    else {
      const path = this.#replacing(name, header, (at) => this.#node(name, at, header));
      if (header.type !== "link") this.#attributes(path, header);
    }
  }

  /** Numbers that Linux cannot hold would become others: 2^32 is root. */
  #checkNumbers(header: TarHeader): void {
    const { uid, gid } = this.#options.owner ?? header;
    const name = JSON.stringify(textOf(header.name));
    // -1 leaves an owner as it is.
    if ([uid, gid].some((id) => id < -1 || id > maxId))
      throw new BadArchive(`owner ${uid}:${gid} for ${name} out of range: invalid archive`);
    const { devMajor, devMinor } = header;
    if (header.type !== "char" && header.type !== "block") return;
    if (devMajor < 0 || devMajor > maxMajor || devMinor < 0 || devMinor > maxMinor)
      throw new BadArchive(`device number ${devMajor}:${devMinor} for ${name} out of range: invalid archive`);
  }

  /** Where a name lies; its parents are made if need be. Good until something is replaced. */
  #pathOf(name: ByteString): ByteString {
    const { dir, base } = splitName(name);
    return `${parentOf(this.#parents, dir, name)}/${base || "."}`;
  }

  #directory(name: ByteString, header: TarHeader): void {
    let path = this.#pathOf(name);
    try {
      mkdirSync(fsPath(path), 0o700);
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw pathError("mkdirat", name, errnoText(error), error);
      const stat = lstatSync(fsPath(path));
      if (!stat.isDirectory()) {
        const whiteout = this.#options.overlay === true && isWhiteoutDevice(stat);
        path = this.#clear(name, path, header);
        mkdirSync(fsPath(path), 0o700);
        // The archive deleted the name before: the folder must not show what lies below.
        if (whiteout) setOpaque(path);
      }
    }
    this.#finishDirectory(name, path, header);
  }

  #finishDirectory(name: ByteString, path: ByteString, header: TarHeader): void {
    this.#attributes(path, header);
    if (!this.#directories.has(name)) this.#kept.keep(name);
    this.#directories.set(name, { atime: nanoseconds(header.atime ?? header.mtime), mtime: nanoseconds(header.mtime) });
  }

  #openFile(name: ByteString, header: TarHeader): void {
    const path = this.#replacing(name, header, (at) => {
      this.#fd = openSync(fsPath(at), createFlags, 0o600);
    });
    this.#file = { path, header };
    this.#sparse = header.sparse === undefined ? undefined : new SparseWriter(this.#fd as number, header.sparse);
  }

  #data(bytes: Buffer): void {
    if (this.#sparse !== undefined) return this.#sparse.write(bytes);
    for (let at = 0; at < bytes.length;) at += writeSync(this.#fd as number, bytes, at);
  }

  #endFile(): void {
    const fd = this.#fd as number;
    const { path, header } = this.#file as { path: ByteString; header: TarHeader };
    try {
      if (this.#sparse !== undefined) ftruncateSync(fd, header.size);
      const { uid, gid } = this.#options.owner ?? header;
      fchownSync(fd, uid, gid);
      this.#xattrs(path, header);
      // After the owner, whose change clears setuid.
      fchmodSync(fd, header.mode);
    } finally {
      this.#closeFile();
    }
    lutimes(fsPath(path), nanoseconds(header.atime ?? header.mtime), nanoseconds(header.mtime));
  }

  #closeFile(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#file = undefined;
    this.#sparse = undefined;
  }

  #node(name: ByteString, path: ByteString, header: TarHeader): void {
    const { devMajor, devMinor } = header;
    if (header.type === "symlink") symlinkSync(fsPath(header.linkname), fsPath(path));
    else if (header.type === "char") mknod(fsPath(path), S.IFCHR | 0o600, devMajor, devMinor);
    else if (header.type === "block") mknod(fsPath(path), S.IFBLK | 0o600, devMajor, devMinor);
    else if (header.type === "fifo") mknod(fsPath(path), S.IFIFO | 0o600);
    else if (header.type === "link") this.#link(name, path, header);
    else throw new BadArchive(`unhandled tar header type ${header.flag.charCodeAt(0)}`);
  }

  #link(name: ByteString, path: ByteString, header: TarHeader): void {
    const target = cleanName(header.linkname);
    if (target === undefined) throw new BadArchive(`invalid hardlink target "${textOf(header.linkname)}"`);
    const { dir, base } = splitName(target);
    try {
      linkSync(fsPath(`${this.#parents.resolve(dir, false)}/${base}`), fsPath(path));
    } catch (error) {
      if (codeOf(error) === "EEXIST" || codeOf(error) === undefined) throw error;
      throw new BadArchive(`linkat ${textOf(target)} ${textOf(name)}: ${errnoText(error)}`, { cause: error });
    }
  }

  /** Runs `make`, and once more without what stood in its way. @returns the path that it was made at */
  #replacing(name: ByteString, header: TarHeader, make: (path: ByteString) => void): ByteString {
    const path = this.#pathOf(name);
    try {
      make(path);
      return path;
    } catch (error) {
      if (codeOf(error) !== "EEXIST")
        throw codeOf(error) === undefined ? error : pathError("openat", name, errnoText(error), error);
    }
    const again = this.#clear(name, path, header);
    make(again);
    return again;
  }

  #clear(name: ByteString, path: ByteString, header: TarHeader): ByteString {
    const isDirectory = lstatSync(fsPath(path), { throwIfNoEntry: false })?.isDirectory() ?? false;
    if (this.#options.noOverwriteDirNonDir === true && isDirectory !== (header.type === "directory")) {
      const [there, wanted] = isDirectory ? ["directory", "non-directory"] : ["non-directory", "directory"];
      throw new BadArchive(
        `cannot overwrite ${there} "${textOf(name)}" with ${wanted} "${this.#options.rootName ?? "/"}"`,
      );
    }
    this.remove(name);
    return this.#pathOf(name);
  }

  /** Removes a name with all below it, and what is remembered of it. */
  remove(name: ByteString): void {
    const path = fsPath(this.#pathOf(name));
    // Nothing can lie below anything else.
    const hasBelow = lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
    if (hasBelow)
      for (const directory of this.#directories.keys())
        if (directory === name || directory.startsWith(`${name}/`)) this.#directories.delete(directory);
    try {
      removeAny(path);
    } catch (error) {
      throw pathError("RemoveAll", name, errnoText(error), error);
    }
    this.#parents.forget();
  }

  #attributes(path: ByteString, header: TarHeader): void {
    const { uid, gid } = this.#options.owner ?? header;
    const target = fsPath(path);
    lchownSync(target, uid, gid);
    this.#xattrs(path, header);
    if (header.type !== "symlink") {
      const fd = openSync(target, O.PATH | O.NOFOLLOW);
      try {
        chmodSync(`/proc/self/fd/${fd}`, header.mode);
      } finally {
        closeSync(fd);
      }
    }
    if (header.type !== "directory")
      lutimes(target, nanoseconds(header.atime ?? header.mtime), nanoseconds(header.mtime));
  }

  #xattrs(path: ByteString, header: TarHeader): void {
    for (const [name, value] of header.xattrs) {
      if (name.startsWith(overlayXattrPrefix)) continue;
      try {
        lsetxattr(fsPath(path), name, bytesOf(value));
      } catch (error) {
        // As Docker: an attribute that the file system or the kind of file cannot hold is left out.
        const code = codeOf(error);
        if (code !== "ENOTSUP" && code !== "EOPNOTSUPP" && !(code === "EPERM" && name.startsWith("user."))) {
          throw pathError("setxattr", header.name, errnoText(error), error);
        }
      }
    }
  }

  /** Sets the times of folders, last of all. */
  finish(): void {
    for (const [name, { atime, mtime }] of [...this.#directories].toReversed()) {
      try {
        lutimes(fsPath(this.#pathOf(name)), atime, mtime);
      } catch (error) {
        // Whoever else works in the root may have taken the folder away.
        if (codeOf(error) !== "ENOENT") throw error;
      }
    }
    this.#directories.clear();
  }

  /** Lets go of open files, whether or not all went well. */
  close(): void {
    this.#closeFile();
    this.#parents.close();
  }
}

/** Removes a file, or a folder with all below it. What is only one file is tried first: of a tree's failure Node tells no code. */
function removeAny(path: Buffer | string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    if (codeOf(error) !== "EISDIR" && codeOf(error) !== "EPERM") throw error;
    rmSync(path, { recursive: true, force: true });
  }
}
