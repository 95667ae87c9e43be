import { type TarHeader, paddingOf } from "../tar/header.ts";
import { encodeEntry, encodeHeader, endOfArchive, tarHeader } from "../tar/writer.ts";

type Entry = Partial<TarHeader> & Pick<TarHeader, "name"> & { data?: string };

/** A tar of these entries; files are 0644, folders 0755, all from 1970. */
export function tarOf(...entries: Entry[]): Buffer {
  const blocks = entries.map(({ data, ...fields }) => {
    const header = tarHeader({ mode: fields.type === "directory" ? 0o755 : 0o644, ...fields });
    return header.type === "file" || header.type === "unknown"
      ? encodeEntry(header, Buffer.from(data ?? ""))
      : encodeHeader(header);
  });
  return Buffer.concat([...blocks, endOfArchive]);
}

/** An extended header with these records, to stand before an entry: PAX `x` or `g`, GNU `L` or `K`. */
export function metaHeader(flag: string, body: Buffer): Buffer {
  const block = encodeHeader(tarHeader({ name: "meta", size: body.length }));
  return Buffer.concat([
    withSum(block, (bytes) => bytes.write(flag, 156, "latin1")),
    body,
    Buffer.alloc(paddingOf(body.length)),
  ]);
}

/** A header block that was changed, with its sum made right again. */
export function withSum(block: Buffer, change: (block: Buffer) => void): Buffer {
  const bytes = Buffer.from(block);
  change(bytes);
  bytes.fill(0x20, 148, 156);
  bytes.write(
    `${bytes
      .subarray(0, 512)
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
    148,
  );
  return bytes;
}

/** Bytes as a stream of pieces. */
export async function* stream(bytes: Uint8Array, step = 10_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
}

/** All pieces of a stream as one. */
export async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece);
  return Buffer.concat(pieces);
}
