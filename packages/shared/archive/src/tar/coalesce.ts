/** Bytes of one outgoing piece. */
const pieceBytes = 1 << 18;

/** Gathers pieces of any size (headers are small) into large ones, each with memory of its own. */
export function* coalesce(pieces: Iterable<Uint8Array>): Generator<Buffer> {
  let buffer = Buffer.allocUnsafeSlow(pieceBytes);
  let filled = 0;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length;) {
      const taken = Math.min(piece.length - at, pieceBytes - filled);
      buffer.set(piece.subarray(at, at + taken), filled);
      at += taken;
      filled += taken;
      if (filled === pieceBytes) {
        yield buffer;
        buffer = Buffer.allocUnsafeSlow(pieceBytes);
        filled = 0;
      }
    }
  }
  if (filled > 0) yield buffer.subarray(0, filled);
}
