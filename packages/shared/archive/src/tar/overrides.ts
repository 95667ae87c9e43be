import type { Block } from "./block.ts";
import { entryTypeOf } from "./block.ts";
import { InvalidTarHeader } from "./errors.ts";
import { type ByteString, type SparseChunk, type TarHeader, maxMetaBytes } from "./header.ts";
import { parsePax, parsePaxNumber, parsePaxTime } from "./pax.ts";
import { sparseChunksOf } from "./sparse.ts";

const xattrPrefix = "SCHILY.xattr.";

/**
 * What extended headers (PAX x and g, GNU L and K) say of the entries behind them. PAX records win
 * over GNU names, and both over the header block.
 */
export class Overrides {
  readonly #global = new Map<string, ByteString>();
  #globalBytes = 0;
  #local = new Map<string, ByteString>();
  #sparseNumbers: string[] = [];
  longName: ByteString | undefined;
  longLink: ByteString | undefined;

  /** @throws InvalidTarHeader when there are more than one header could hold */
  addGlobal(body: Buffer): void {
    for (const [key, value] of parsePax(body)) {
      this.#globalBytes += key.length + value.length - (this.#global.get(key)?.length ?? -key.length);
      this.#global.set(key, value);
    }
    if (this.#globalBytes > maxMetaBytes) throw new InvalidTarHeader();
  }

  /** One header's records; a further one before the same entry counts alone, as with Go. */
  addLocal(body: Buffer): void {
    this.#local = new Map();
    this.#sparseNumbers = [];
    for (const [key, value] of parsePax(body)) {
      // The one key that stands many times, in pairs whose order counts.
      if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes") this.#sparseNumbers.push(value);
      else this.#local.set(key, value);
    }
  }

  /** A record; an empty value takes back a global one. */
  #get(key: string): ByteString | undefined {
    return (this.#local.get(key) ?? this.#global.get(key)) || undefined;
  }

  #number(key: string): number | undefined {
    const text = this.#get(key);
    return text === undefined ? undefined : parsePaxNumber(text);
  }

  /** The header that the block and the records make together; the bytes stored behind it are `stored`. */
  apply(block: Block): { header: TarHeader; stored: number; sparseMap: boolean } {
    const atime = this.#get("atime");
    const mtime = this.#get("mtime");
    const stored = this.#number("size") ?? block.size;
    if (stored < 0) throw new InvalidTarHeader();
    const header: TarHeader = {
      name: this.#get("path") ?? this.longName ?? (block.prefix === "" ? block.name : `${block.prefix}/${block.name}`),
      type: entryTypeOf(block.flag),
      flag: block.flag,
      linkname: this.#get("linkpath") ?? this.longLink ?? block.linkname,
      mode: block.mode & 0o7777,
      uid: this.#number("uid") ?? block.uid,
      gid: this.#number("gid") ?? block.gid,
      size: stored,
      mtime: mtime === undefined ? { sec: block.mtime, nsec: 0 } : parsePaxTime(mtime),
      devMajor: block.devMajor,
      devMinor: block.devMinor,
      uname: this.#get("uname") ?? block.uname,
      gname: this.#get("gname") ?? block.gname,
      xattrs: this.#xattrs(),
    };
    if (atime !== undefined) header.atime = parsePaxTime(atime);
    return { header, stored, sparseMap: this.#sparse(header) };
  }

  /** Fills in what the GNU.sparse records say. @returns whether the map stands before the data */
  #sparse(header: TarHeader): boolean {
    const realSize = this.#number("GNU.sparse.realsize") ?? this.#number("GNU.sparse.size");
    const name = this.#get("GNU.sparse.name");
    if (name !== undefined) header.name = name;
    if (realSize === undefined) return false;
    if (realSize < 0) throw new InvalidTarHeader();
    header.size = realSize;
    if (this.#get("GNU.sparse.major") === "1") return true;
    const map = this.#get("GNU.sparse.map");
    const chunks: SparseChunk[] = sparseChunksOf(map === undefined ? this.#sparseNumbers : map.split(","));
    header.sparse = chunks;
    return false;
  }

  #xattrs(): Map<string, ByteString> {
    const xattrs = new Map<string, ByteString>();
    for (const records of [this.#global, this.#local]) {
      for (const [key, value] of records)
        if (key.startsWith(xattrPrefix)) xattrs.set(key.slice(xattrPrefix.length), value);
    }
    return xattrs;
  }

  /** Forgets what counted for one entry only. */
  reset(): void {
    if (this.#local.size > 0) this.#local = new Map();
    if (this.#sparseNumbers.length > 0) this.#sparseNumbers = [];
    this.longName = undefined;
    this.longLink = undefined;
  }
}
