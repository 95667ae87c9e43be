import { Transform, type TransformCallback } from "node:stream";
import { InvalidArgument } from "@longshore/errdefs";

/** ctrl-p, ctrl-q */
const standard: readonly number[] = [16, 17];

/**
 * Reads `ctrl-p,ctrl-q` forms as bytes; empty means the standard keys.
 * @throws InvalidArgument `Invalid detach keys (x) provided`
 */
export function parseDetachKeys(keys: string): readonly number[] {
  if (keys === "") return standard;
  return keys.split(",").map((key) => {
    const byte = keyByte(key);
    if (byte === undefined) throw new InvalidArgument(`Invalid detach keys (${keys}) provided`);
    return byte;
  });
}

function keyByte(key: string): number | undefined {
  if (Buffer.byteLength(key) === 1) return key.charCodeAt(0);
  if (key === "DEL") return 127;
  const control = /^ctrl-([a-z@[\\\]^_])$/.exec(key)?.[1];
  // ctrl clears the upper bits: a → 1, @ → 0, [ → 27.
  return control?.toUpperCase().charCodeAt(0) === undefined ? undefined : control.toUpperCase().charCodeAt(0) & 0x1f;
}

/**
 * Passes input on and watches for the detach keys, where a shim does not. Keys of a sequence that is not finished are
 * held back, and passed on when something else follows, which does not begin another sequence.
 */
export class DetachFilter extends Transform {
  readonly #keys: Buffer;
  readonly #onDetach: () => void;
  #matched = 0;
  #detached = false;

  constructor(keys: readonly number[], onDetach: () => void) {
    super();
    this.#keys = Buffer.from(keys);
    this.#onDetach = onDetach;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#detached) return done();
    if (this.#keys.length === 0) return done(null, chunk);
    const passed: number[] = [];
    for (const byte of chunk) {
      if (byte === this.#keys[this.#matched]) {
        if (++this.#matched < this.#keys.length) continue;
        this.#detached = true;
        break;
      }
      passed.push(...this.#keys.subarray(0, this.#matched), byte);
      this.#matched = 0;
    }
    if (passed.length > 0) this.push(Buffer.from(passed));
    if (this.#detached) this.#onDetach();
    done();
  }
}
