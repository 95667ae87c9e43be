import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync, readlinkSync } from "node:fs";
import { Unknown } from "@longshore/errdefs";
import { major, minor } from "@longshore/sys";
import { xattrOf } from "../extract/overlay.ts";
import { codeOf, fsPath } from "../extract/path.ts";
import { type ByteString, type EntryType, type TarHeader, paddingOf, textOf } from "../tar/header.ts";
import { encodeHeader, tarHeader } from "../tar/writer.ts";

/** The one attribute that Docker's and containerd's tars carry. */
const capability = "security.capability";
const readBytes = 1 << 18;

function typeOf(stat: BigIntStats): EntryType | undefined {
  if (stat.isFile()) return "file";
  if (stat.isDirectory()) return "directory";
  if (stat.isSymbolicLink()) return "symlink";
  if (stat.isCharacterDevice()) return "char";
  if (stat.isBlockDevice()) return "block";
  if (stat.isFIFO()) return "fifo";
  // A socket is nothing without its process.
  return undefined;
}

/** Turns files into tar entries; it knows which of them are one file under several names. */
export class EntryWriter {
  readonly #names = new Map<string, ByteString>();
  readonly #latest: number;

  /** @param latest seconds since 1970: no entry tells of a later change */
  constructor(latest = Number.POSITIVE_INFINITY) {
    this.#latest = latest;
  }

  /**
   * The entry of one file, header and data. Times are whole seconds, as Docker and containerd write
   * them, so that tars stay small and the same on all file systems.
   * @param path where it lies; its last component is not followed
   * @param name what it is called in the archive, without a closing slash
   */
  *entry(path: ByteString, name: ByteString, stat: BigIntStats): Generator<Buffer> {
    const type = typeOf(stat);
    if (type === undefined) return;
    const header = tarHeader({
      name: type === "directory" && !name.endsWith("/") ? `${name}/` : name,
      type,
      mode: Number(stat.mode & 0o7777n),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      mtime: { sec: Math.min(Math.floor(Number(stat.mtimeMs) / 1000), this.#latest), nsec: 0 },
    });
    if (type === "char" || type === "block") {
      header.devMajor = major(Number(stat.rdev));
      header.devMinor = minor(Number(stat.rdev));
    }
    if (type === "symlink") header.linkname = readlinkSync(fsPath(path), { encoding: "latin1" });
    const first = this.#linked(header, stat);
    if (first !== undefined) {
      yield encodeHeader({ ...header, type: "link", linkname: first });
      return;
    }
    if (type !== "symlink") this.#addCapability(header, path);
    if (type === "file") yield* fileEntry(header, path);
    else yield encodeHeader(header);
  }

  /** The name under which this file is in the archive already. */
  #linked(header: TarHeader, stat: BigIntStats): ByteString | undefined {
    if (header.type === "directory" || stat.nlink < 2n) return undefined;
    const inode = `${stat.dev}:${stat.ino}`;
    const first = this.#names.get(inode);
    if (first === undefined) this.#names.set(inode, header.name);
    return first;
  }

  #addCapability(header: TarHeader, path: ByteString): void {
    const value = xattrOf(path, capability);
    if (value !== undefined) header.xattrs.set(capability, value.toString("latin1"));
  }
}

function* fileEntry(header: TarHeader, path: ByteString): Generator<Buffer> {
  let fd: number;
  try {
    // Whatever has come in its place since, a fifo must not make us wait.
    fd = openSync(fsPath(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    // Gone since it was listed: as if it had gone before.
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  try {
    const size = Number(fstatSync(fd, { bigint: true }).size);
    yield encodeHeader({ ...header, size });
    const buffer = Buffer.allocUnsafe(Math.min(readBytes, Math.max(size, 1)));
    for (let at = 0; at < size;) {
      const count = readSync(fd, buffer, 0, Math.min(buffer.length, size - at), at);
      if (count === 0) throw new Unknown(`${textOf(header.name)} became shorter while it was read`);
      yield buffer.subarray(0, count);
      at += count;
    }
    yield Buffer.alloc(paddingOf(size));
  } finally {
    closeSync(fd);
  }
}
