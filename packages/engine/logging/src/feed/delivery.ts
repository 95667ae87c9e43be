import type { Position } from "./position.ts";

/** So long a plugin may work on what it took; whoever dies sooner gets it once more. In milliseconds. */
const workMs = 1000;

/** Follows lines from the engine through a FIFO into a plugin. */
export class Delivery {
  /** In the FIFO: where each frame ends in the stream, and the position behind it. */
  readonly #sent: { end: number; next: Position }[] = [];
  /** Out of the FIFO, and when. */
  readonly #taken: { at: number; next: Position }[] = [];
  #written = 0;
  #last: Position | undefined;

  /** A frame of so many bytes went into the FIFO; 0 for a line that is none. */
  sent(bytes: number, next: Position): void {
    this.#written += bytes;
    this.#sent.push({ end: this.#written, next });
  }

  /** The plugin has taken so many bytes in all. */
  taken(bytes: number): void {
    let count = 0;
    while ((this.#sent[count]?.end ?? Number.POSITIVE_INFINITY) <= bytes) count++;
    const [latest] = this.#sent.splice(0, count).slice(-1);
    if (latest === undefined) return;
    this.#last = latest.next;
    this.#taken.push({ at: performance.now(), next: latest.next });
  }

  /** The position behind what a plugin that still reads has worked on, when that has moved. */
  sure(): Position | undefined {
    const until = performance.now() - workMs;
    let count = 0;
    while ((this.#taken[count]?.at ?? Number.POSITIVE_INFINITY) <= until) count++;
    return this.#taken.splice(0, count).at(-1)?.next;
  }

  /** Whether something lies in the FIFO. */
  get waiting(): boolean {
    return this.#sent.length > 0;
  }

  /** The position behind all that was taken. */
  get last(): Position | undefined {
    return this.#last;
  }
}
