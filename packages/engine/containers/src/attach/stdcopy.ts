/** The stream of Docker's multiplexed format that errors of attach go to. */
export const stdoutStream = 1;

/** One frame: type, three zeros, length in big endian, payload. */
export function frame(stream: number, payload: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(8 + payload.length);
  out.writeUInt32BE(stream << 24, 0);
  out.writeUInt32BE(payload.length, 4);
  out.set(payload, 8);
  return out;
}

/** Takes multiplexed bytes in pieces of any size and gives the payloads, whatever their stream. */
export class Demultiplexer {
  #header = Buffer.alloc(8);
  #headerBytes = 0;
  #left = 0;

  push(chunk: Buffer, onPayload: (stream: number, payload: Buffer) => void): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left === 0) {
        const take = Math.min(8 - this.#headerBytes, chunk.length - at);
        chunk.copy(this.#header, this.#headerBytes, at, at + take);
        this.#headerBytes += take;
        at += take;
        if (this.#headerBytes < 8) return;
        this.#headerBytes = 0;
        this.#left = this.#header.readUInt32BE(4);
        continue;
      }
      const take = Math.min(this.#left, chunk.length - at);
      onPayload(this.#header[0] ?? 0, chunk.subarray(at, at + take));
      this.#left -= take;
      at += take;
    }
  }
}
