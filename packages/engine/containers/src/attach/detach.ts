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
  if (key.length === 1) return key.charCodeAt(0);
  const control = /^ctrl-([a-z@[\\\]^_])$/.exec(key)?.[1];
  // ctrl clears the upper bits: a → 1, @ → 0, [ → 27.
  return control?.toUpperCase().charCodeAt(0) === undefined ? undefined : control.toUpperCase().charCodeAt(0) & 0x1f;
}

/**
 * Passes input on and watches for the detach keys. Keys of a sequence that is not finished are
 * held back, and passed on when something else follows.
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
    let start = 0;
    for (let i = 0; i < chunk.length; i++) {
      if (chunk[i] === this.#keys[this.#matched]) {
        if (this.#matched === 0) {
          this.#emitPart(chunk, start, i);
          start = i;
        }
        this.#matched++;
        start = i + 1;
        if (this.#matched === this.#keys.length) {
          this.#detached = true;
          this.#matched = 0;
          this.#onDetach();
          return done();
        }
        continue;
      }
      if (this.#matched > 0) {
        this.push(this.#keys.subarray(0, this.#matched));
        this.#matched = 0;
        // The byte that broke the sequence may begin a new one.
        i--;
      }
    }
    this.#emitPart(chunk, start, chunk.length);
    done();
  }

  override _flush(done: TransformCallback): void {
    if (this.#matched > 0) this.push(this.#keys.subarray(0, this.#matched));
    done();
  }

  #emitPart(chunk: Buffer, start: number, end: number): void {
    if (end > start) this.push(chunk.subarray(start, end));
  }
}
