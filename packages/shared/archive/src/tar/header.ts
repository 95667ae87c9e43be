/**
 * Names, link targets and xattr values are kept as byte strings: one UTF-16 unit per byte ("latin1"),
 * since Linux names are bytes and a layer may hold names that are not UTF-8. For ASCII nothing differs.
 */
export type ByteString = string;

/** What an entry is, as POSIX names it; `unknown` keeps the raw type flag. */
export type EntryType = "file" | "link" | "symlink" | "char" | "block" | "directory" | "fifo" | "unknown";

/** A point in time: whole seconds since 1970 (may be negative) and nanoseconds 0..999999999. */
export interface Timespec {
  sec: number;
  nsec: number;
}

/** A hole-free stretch of a sparse file. */
export interface SparseChunk {
  offset: number;
  size: number;
}

export interface TarHeader {
  name: ByteString;
  type: EntryType;
  /** The raw type flag, e.g. `0`; of interest when `type` is unknown. */
  flag: string;
  linkname: ByteString;
  /** Permission bits with setuid, setgid and sticky: 0..0o7777. */
  mode: number;
  uid: number;
  gid: number;
  /** Bytes of the file as it stands on disk; a sparse file's stream holds less. */
  size: number;
  mtime: Timespec;
  atime?: Timespec;
  devMajor: number;
  devMinor: number;
  uname: string;
  gname: string;
  /** Extended attributes by full name (`security.capability`). */
  xattrs: Map<string, ByteString>;
  /** Set for a sparse file: where the bytes of the stream belong. */
  sparse?: SparseChunk[];
}

export const blockSize = 512;
/** Longest extended header or sparse map that is taken, as Go's archive/tar. */
export const maxMetaBytes = 1 << 20;

/** Bytes that fill `size` up to a whole block. */
export function paddingOf(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}

/** The bytes of a byte string. */
export function bytesOf(text: ByteString): Buffer {
  return Buffer.from(text, "latin1");
}

/** A byte string as text for people and for JSON; bytes that are not UTF-8 become U+FFFD. */
export function textOf(bytes: ByteString): string {
  return /[\x80-\xff]/.test(bytes) ? bytesOf(bytes).toString("utf8") : bytes;
}

/** Text as the byte string of its UTF-8 form. */
export function byteString(text: string): ByteString {
  return /[\u0080-\uffff]/.test(text) ? Buffer.from(text, "utf8").toString("latin1") : text;
}
