import { InvalidTarHeader } from "./errors.ts";
import type { ByteString, EntryType } from "./header.ts";

const typeByFlag: Record<string, EntryType> = {
  "0": "file",
  "\0": "file",
  // Contiguous files and GNU sparse files are files to us.
  "7": "file",
  S: "file",
  "1": "link",
  "2": "symlink",
  "3": "char",
  "4": "block",
  "5": "directory",
  "6": "fifo",
};

/** The kind of entry a type flag stands for. */
export function entryTypeOf(flag: string): EntryType {
  return typeByFlag[flag] ?? "unknown";
}

/** The fields of one header block, before PAX and GNU extensions are applied. */
export interface Block {
  name: ByteString;
  prefix: ByteString;
  flag: string;
  linkname: ByteString;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  mtime: number;
  uname: string;
  gname: string;
  devMajor: number;
  devMinor: number;
  gnu: boolean;
}

/** A NUL-terminated string field. */
function stringAt(block: Buffer, offset: number, length: number): ByteString {
  let end = offset;
  const limit = offset + length;
  while (end < limit && block[end] !== 0) end++;
  return block.toString("latin1", offset, end);
}

/** Reads the field of a time in seconds; one that no clock shows counts as none, as with Docker. */
function timeAt(block: Buffer, offset: number, length: number): number {
  try {
    return numberAt(block, offset, length);
  } catch (error) {
    if (((block[offset] ?? 0) & 0x80) !== 0) return 0;
    throw error;
  }
}

/** Reads a number field: octal text, or GNU's base-256 when the top bit is set. */
export function numberAt(block: Buffer, offset: number, length: number): number {
  const first = block[offset] ?? 0;
  if ((first & 0x80) !== 0) {
    let value = (first & 0x40) !== 0 ? first - 256 : first & 0x7f;
    for (let at = offset + 1; at < offset + length; at++) value = value * 256 + (block[at] as number);
    if (!Number.isSafeInteger(value)) throw new InvalidTarHeader();
    return value;
  }
  let value = 0;
  let at = offset;
  const limit = offset + length;
  while (at < limit && (block[at] === 0x20 || block[at] === 0)) at++;
  for (; at < limit; at++) {
    const byte = block[at] as number;
    if (byte === 0 || byte === 0x20) break;
    if (byte < 0x30 || byte > 0x37) throw new InvalidTarHeader();
    value = value * 8 + byte - 0x30;
  }
  return value;
}

const zeroBlock = Buffer.alloc(512);

/** Whether the block is all zeroes: two of them end an archive. */
export function isZeroBlock(block: Buffer): boolean {
  return block.equals(zeroBlock);
}

/** Checks the sum that a header carries over its own bytes; old tars summed signed bytes. */
function checkSum(block: Buffer): void {
  const stored = numberAt(block, 148, 8);
  let unsigned = 8 * 0x20;
  let signed = unsigned;
  for (let at = 0; at < 512; at++) {
    if (at === 148) at = 156;
    const byte = block[at] as number;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  if (stored !== unsigned && stored !== signed) throw new InvalidTarHeader();
}

/** Decodes one 512-byte header. @throws InvalidTarHeader */
export function parseBlock(block: Buffer): Block {
  checkSum(block);
  const magic = block.toString("latin1", 257, 263);
  const gnu = magic === "ustar " && block.toString("latin1", 263, 265) === " \0";
  const posix = magic === "ustar\0";
  const extended = gnu || posix;
  const size = numberAt(block, 124, 12);
  if (size < 0) throw new InvalidTarHeader();
  return {
    name: stringAt(block, 0, 100),
    prefix: posix ? stringAt(block, 345, 155) : "",
    flag: String.fromCharCode(block[156] as number),
    linkname: stringAt(block, 157, 100),
    mode: numberAt(block, 100, 8),
    uid: numberAt(block, 108, 8),
    gid: numberAt(block, 116, 8),
    size,
    mtime: timeAt(block, 136, 12),
    uname: extended ? stringAt(block, 265, 32) : "",
    gname: extended ? stringAt(block, 297, 32) : "",
    devMajor: extended ? numberAt(block, 329, 8) : 0,
    devMinor: extended ? numberAt(block, 337, 8) : 0,
    gnu,
  };
}
