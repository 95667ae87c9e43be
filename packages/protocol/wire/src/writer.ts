import type { Scalar } from "./table.ts";

const text = new TextEncoder();

/** Collects bytes. */
export class Writer {
  #bytes = new Uint8Array(128);
  #length = 0;

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  tag(number: number, type: number): void {
    this.uint32(((number << 3) | type) >>> 0);
  }

  uint32(value: number): void {
    let rest = value;
    for (; rest > 127; rest >>>= 7) this.#byte((rest & 127) | 128);
    this.#byte(rest);
  }

  uint64(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    for (; rest > 127n; rest >>= 7n) this.#byte(Number(rest & 127n) | 128);
    this.#byte(Number(rest));
  }

  /** Bytes with their length before them. */
  delimited(bytes: Uint8Array): void {
    this.uint32(bytes.length);
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }

  scalar(scalar: Scalar, value: unknown): void {
    switch (scalar) {
      case "string":
        return this.delimited(text.encode(value as string));
      case "bytes":
        return this.delimited(value as Uint8Array);
      case "bool":
        return this.#byte(value ? 1 : 0);
      case "uint32":
        return this.uint32((value as number) >>> 0);
      case "int32":
      case "enum":
        return this.uint64(BigInt(value as number));
      case "sint32":
        return this.uint32((((value as number) << 1) ^ ((value as number) >> 31)) >>> 0);
      case "uint64":
      case "int64":
        return this.uint64(value as bigint);
      case "sint64":
        return this.uint64(((value as bigint) << 1n) ^ ((value as bigint) >> 63n));
      case "fixed32":
      case "sfixed32":
        return this.#fixed(4, (view, at) => view.setUint32(at, value as number, true));
      case "float":
        return this.#fixed(4, (view, at) => view.setFloat32(at, value as number, true));
      case "fixed64":
      case "sfixed64":
        return this.#fixed(8, (view, at) => view.setBigUint64(at, value as bigint, true));
      case "double":
        return this.#fixed(8, (view, at) => view.setFloat64(at, value as number, true));
    }
  }

  #fixed(length: number, set: (view: DataView, at: number) => void): void {
    const at = this.#room(length);
    set(new DataView(this.#bytes.buffer), at);
  }

  #byte(value: number): void {
    const at = this.#room(1);
    this.#bytes[at] = value;
  }

  /** Where the next `length` bytes go. */
  #room(length: number): number {
    const at = this.#length;
    this.#length += length;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
    }
    return at;
  }
}
