/** How a tar is packed. */
export type Compression = "uncompressed" | "gzip" | "zstd" | "bzip2" | "xz";

/** Bytes that suffice to tell. */
export const magicBytes = 6;

/** Tells the compression by its magic number; what is none of them counts as plain. */
export function detectCompression(start: Uint8Array): Compression {
  const [a, b, c, d] = start;
  if (a === 0x1f && b === 0x8b && c === 0x08) return "gzip";
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return "zstd";
  // A zstd stream may begin with a frame to skip.
  if (a !== undefined && (a & 0xf0) === 0x50 && b === 0x2a && c === 0x4d && d === 0x18) return "zstd";
  if (a === 0x42 && b === 0x5a && c === 0x68) return "bzip2";
  if (a === 0xfd && b === 0x37 && c === 0x7a && d === 0x58 && start[4] === 0x5a && start[5] === 0) return "xz";
  return "uncompressed";
}
