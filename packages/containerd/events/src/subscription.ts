import { ResourceExhausted } from "@longshore/errdefs";
import type { Filter } from "@longshore/filters";
import type { Envelope } from "@longshore/proto/containerd/types/types";
import { envelopeAdaptor } from "./adaptor.ts";

/** How many events may wait for a slow subscriber. */
export const queueLimit = 8192;

/**
 * One subscriber's queue. A subscriber that falls too far behind is cut off with an error, since
 * silently leaving events out would make it believe that it knows the state.
 */
export class Subscription implements AsyncIterable<Envelope> {
  readonly #filter: Filter;
  readonly #onEnd: () => void;
  readonly #queue: Envelope[] = [];
  #wake: (() => void) | undefined;
  #ended = false;
  #error: Error | undefined;

  constructor(filter: Filter, onEnd: () => void) {
    this.#filter = filter;
    this.#onEnd = onEnd;
  }

  offer(envelope: Envelope): void {
    if (this.#ended || !this.#filter(envelopeAdaptor(envelope))) return;
    if (this.#queue.length >= queueLimit) {
      this.#queue.length = 0;
      this.#error = new ResourceExhausted(`event subscriber is too slow: more than ${queueLimit} events wait for it`);
      this.end();
      return;
    }
    this.#queue.push(envelope);
    this.#wake?.();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd();
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Envelope> {
    try {
      for (;;) {
        for (let envelope = this.#queue.shift(); envelope !== undefined; envelope = this.#queue.shift()) yield envelope;
        if (this.#error !== undefined) throw this.#error;
        if (this.#ended) return;
        await new Promise<void>((resolve) => (this.#wake = resolve));
        this.#wake = undefined;
      }
    } finally {
      this.end();
    }
  }
}
