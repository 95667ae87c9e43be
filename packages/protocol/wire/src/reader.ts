import type { Scalar } from "./table.ts";
import { wireType } from "./wire-type.ts";

const text = new TextDecoder("utf-8", { ignoreBOM: true });

/** Reads values from bytes. @throws RangeError where they end too early or are no protobuf */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  tag(): { number: number; type: number } {
    const tag = this.uint32();
    if (tag >>> 3 === 0) throw new RangeError("illegal tag: field number 0");
    return { number: tag >>> 3, type: tag & 7 };
  }

  /** A value of up to 64 bits. */
  uint64(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw new RangeError("illegal varint: more than 10 bytes");
  }

  /** The lower 32 bits of a value. */
  uint32(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      if (shift < 32) value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
    throw new RangeError("illegal varint: more than 10 bytes");
  }

  /** The bytes of a string, a message or packed values: a view, no copy. */
  delimited(): Uint8Array {
    const length = this.uint32();
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  scalar(scalar: Scalar): unknown {
    switch (scalar) {
      case "string":
        return text.decode(this.delimited());
      case "bytes":
        return this.delimited();
      case "bool":
        return this.uint64() !== 0n;
      case "uint32":
        return this.uint32();
      case "int32":
      case "enum":
        return this.uint32() | 0;
      case "sint32":
        return zigzag(this.uint32());
      case "uint64":
        return this.uint64();
      case "int64":
        return BigInt.asIntN(64, this.uint64());
      case "sint64":
        return zigzagLarge(this.uint64());
      case "fixed32":
        return this.#view.getUint32(this.#advance(4), true);
      case "sfixed32":
        return this.#view.getInt32(this.#advance(4), true);
      case "float":
        return this.#view.getFloat32(this.#advance(4), true);
      case "fixed64":
        return this.#view.getBigUint64(this.#advance(8), true);
      case "sfixed64":
        return this.#view.getBigInt64(this.#advance(8), true);
      case "double":
        return this.#view.getFloat64(this.#advance(8), true);
    }
  }

  /** Passes over the value of an unknown field. */
  skip(type: number): void {
    if (type === wireType.varint) this.uint64();
    else if (type === wireType.lengthDelimited) this.delimited();
    else if (type === wireType.fixed64) this.#advance(8);
    else if (type === wireType.fixed32) this.#advance(4);
    else throw new RangeError(`cannot skip wire type ${type}`);
  }

  #byte(): number {
    return this.#bytes[this.#advance(1)]!;
  }

  #advance(length: number): number {
    const start = this.#at;
    if (start + length > this.#bytes.length) throw new RangeError("premature end of message");
    this.#at += length;
    return start;
  }
}

function zigzag(value: number): number {
  return (value >>> 1) ^ -(value & 1);
}

function zigzagLarge(value: bigint): bigint {
  return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n));
}
