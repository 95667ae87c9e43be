/** Data bytes that one frame may carry; the header of 10 bytes is not counted. */
export const maxFrameData = 4 << 20;

export const frameType = { request: 1, response: 2, data: 3 } as const;

export const frameFlag = { remoteClosed: 1, remoteOpen: 2, noData: 4 } as const;

const headerLength = 10;

export interface Frame {
  streamId: number;
  type: number;
  flags: number;
  data: Uint8Array;
  /** The frame was longer than allowed; its data was skipped, `data` is empty. */
  oversize: boolean;
}

/** One frame as bytes: length, stream (big endian), type, flags, data. */
export function encodeFrame(streamId: number, type: number, flags: number, data: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(headerLength + data.length);
  bytes.writeUInt32BE(data.length, 0);
  bytes.writeUInt32BE(streamId, 4);
  bytes[8] = type;
  bytes[9] = flags;
  bytes.set(data, headerLength);
  return bytes;
}

/**
 * Cuts a byte stream into frames. It never holds more than one frame; what exceeds the limit is
 * skipped as it arrives, so that a hostile length costs no memory.
 */
export class FrameDecoder {
  #parts: Buffer[] = [];
  #buffered = 0;
  #skip = 0;
  readonly #onFrame: (frame: Frame) => void;

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  push(chunk: Buffer): void {
    let rest = chunk;
    if (this.#skip > 0) {
      const skipped = Math.min(this.#skip, rest.length);
      this.#skip -= skipped;
      rest = rest.subarray(skipped);
    }
    if (rest.length === 0) return;
    this.#parts.push(rest);
    this.#buffered += rest.length;
    while (this.#buffered >= headerLength) {
      const header = this.#peekHeader();
      const length = header.readUInt32BE(0);
      const frame = { streamId: header.readUInt32BE(4), type: header[8]!, flags: header[9]! };
      if (length > maxFrameData) {
        this.#take(headerLength);
        this.#skip = length - this.#take(Math.min(length, this.#buffered)).length;
        this.#onFrame({ ...frame, data: new Uint8Array(), oversize: true });
        continue;
      }
      if (this.#buffered < headerLength + length) return;
      this.#onFrame({ ...frame, data: this.#take(headerLength + length).subarray(headerLength), oversize: false });
    }
  }

  #peekHeader(): Buffer {
    if (this.#parts[0]!.length < headerLength) this.#join();
    return this.#parts[0]!;
  }

  #join(): void {
    this.#parts = [Buffer.concat(this.#parts)];
  }

  #take(length: number): Buffer {
    if (length === 0) return Buffer.alloc(0);
    if (this.#parts[0]!.length < length) this.#join();
    const first = this.#parts[0]!;
    this.#buffered -= length;
    if (first.length === length) this.#parts.shift();
    else this.#parts[0] = first.subarray(length);
    return first.subarray(0, length);
  }
}
