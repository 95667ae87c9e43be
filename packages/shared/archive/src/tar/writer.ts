import { type EntryType, type TarHeader, blockSize, paddingOf, textOf } from "./header.ts";
import { formatPaxRecord, formatPaxTime } from "./pax.ts";

const flagByType: Record<EntryType, string> = {
  file: "0",
  link: "1",
  symlink: "2",
  char: "3",
  block: "4",
  directory: "5",
  fifo: "6",
  unknown: "0",
};

/** Writes a number as octal text that fills the field but for its NUL. @returns whether it fitted */
function putOctal(block: Buffer, value: number, offset: number, length: number): boolean {
  const text = value >= 0 ? value.toString(8) : "";
  const fits = value >= 0 && text.length < length;
  block.write((fits ? text : "0").padStart(length - 1, "0"), offset, "latin1");
  return fits;
}

/** Splits a long path at a slash for ustar's prefix field (155) and name field (100). */
function splitPath(name: string): { prefix: string; name: string } | undefined {
  if (name.length <= 100) return { prefix: "", name };
  const bound = Math.min(name.length - (name.endsWith("/") ? 2 : 1), 155);
  const slash = name.lastIndexOf("/", bound);
  if (slash <= 0 || name.length - slash - 1 > 100 || name.length - slash - 1 === 0) return undefined;
  return { prefix: name.slice(0, slash), name: name.slice(slash + 1) };
}

const isAscii = (text: string): boolean => !/[\u0080-\uffff]/.test(text);

function encodeBlock(header: TarHeader, records: Map<string, string>, flag: string): Buffer {
  const block = Buffer.alloc(blockSize);
  const path = isAscii(header.name) ? splitPath(header.name) : undefined;
  if (path === undefined) records.set("path", header.name);
  block.write((path?.name ?? header.name).slice(0, 100), 0, "latin1");
  if (path !== undefined) block.write(path.prefix, 345, "latin1");
  if (header.linkname.length > 100 || !isAscii(header.linkname)) records.set("linkpath", header.linkname);
  block.write(header.linkname.slice(0, 100), 157, "latin1");
  putOctal(block, header.mode, 100, 8);
  if (!putOctal(block, header.uid, 108, 8)) records.set("uid", String(header.uid));
  if (!putOctal(block, header.gid, 116, 8)) records.set("gid", String(header.gid));
  if (!putOctal(block, header.size, 124, 12)) records.set("size", String(header.size));
  const wholeSeconds = putOctal(block, header.mtime.sec, 136, 12);
  if (!wholeSeconds || header.mtime.nsec !== 0) records.set("mtime", formatPaxTime(header.mtime));
  if (header.atime !== undefined) records.set("atime", formatPaxTime(header.atime));
  block.write(flag, 156, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  for (const [key, offset] of [
    ["uname", 265],
    ["gname", 297],
  ] as const) {
    const value = header[key];
    if (value.length > 32 || !isAscii(value)) records.set(key, value);
    else block.write(value, offset, "latin1");
  }
  putOctal(block, header.devMajor, 329, 8);
  putOctal(block, header.devMinor, 337, 8);
  for (const [name, value] of header.xattrs) records.set(`SCHILY.xattr.${name}`, value);
  let sum = 8 * 0x20;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

/** The extended header that stands before an entry, its own name as Go writes it. */
function encodePax(header: TarHeader, records: Map<string, string>): Buffer {
  const body = Buffer.concat(
    [...records].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => formatPaxRecord(key, value)),
  );
  const name = header.name.replace(/\/$/, "");
  const slash = name.lastIndexOf("/") + 1;
  const paxName = `${name.slice(0, slash)}PaxHeaders.0/${name.slice(slash)}`
    .replace(/[\u0080-\uffff]/g, "")
    .slice(0, 100);
  const pax: TarHeader = {
    ...emptyHeader,
    name: paxName,
    size: body.length,
    xattrs: new Map(),
  };
  return Buffer.concat([encodeBlock(pax, new Map(), "x"), body, Buffer.alloc(paddingOf(body.length))]);
}

const emptyHeader: TarHeader = {
  name: "",
  type: "file",
  flag: "0",
  linkname: "",
  mode: 0,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: { sec: 0, nsec: 0 },
  devMajor: 0,
  devMinor: 0,
  uname: "",
  gname: "",
  xattrs: new Map(),
};

/** A header with defaults for what an entry does not name. */
export function tarHeader(fields: Partial<TarHeader> & Pick<TarHeader, "name">): TarHeader {
  return { ...emptyHeader, xattrs: new Map(), ...fields };
}

/** One entry's header in ustar form, with a PAX header before it when ustar cannot hold it. */
export function encodeHeader(header: TarHeader): Buffer {
  if (header.name.includes("\0")) throw new TypeError(`NUL in the name ${textOf(header.name)}`);
  const records = new Map<string, string>();
  const block = encodeBlock(header, records, flagByType[header.type]);
  return records.size === 0 ? block : Buffer.concat([encodePax(header, records), block]);
}

/** The two zero blocks that end an archive. */
export const endOfArchive = Buffer.alloc(2 * blockSize);

/** A whole entry whose data is at hand. */
export function encodeEntry(header: TarHeader, data: Uint8Array = new Uint8Array()): Buffer {
  return Buffer.concat([encodeHeader({ ...header, size: data.length }), data, Buffer.alloc(paddingOf(data.length))]);
}
