import { Unavailable } from "@longshore/errdefs";

interface Holder {
  bytes: number;
  refuse: (error: Error) => void;
}

/** What is held of one body. */
export interface Held {
  /** Rejects when the body has to give way. */
  readonly refused: Promise<never>;
  /** Counts bytes that have come. */
  add(bytes: number): void;
  /** Gives back what was counted. */
  release(): void;
}

/**
 * The memory for all bodies that are being read. When it does not suffice the largest body gives
 * way: those who send usual requests never notice, however many half-sent ones are held against them.
 */
export class BodyBudget {
  readonly #limit: number;
  readonly #holders = new Set<Holder>();
  #total = 0;

  /** @param limit in bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  hold(): Held {
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => undefined);
    const holder: Holder = { bytes: 0, refuse: reject };
    this.#holders.add(holder);
    return {
      refused: promise,
      add: (bytes) => {
        if (!this.#holders.has(holder)) return;
        holder.bytes += bytes;
        this.#total += bytes;
        while (this.#total > this.#limit) this.#refuseLargest();
      },
      release: () => this.#drop(holder),
    };
  }

  #refuseLargest(): void {
    let largest: Holder | undefined;
    for (const holder of this.#holders) if (holder.bytes > (largest?.bytes ?? -1)) largest = holder;
    if (largest === undefined) return;
    this.#drop(largest);
    largest.refuse(new Unavailable("too many request bodies are being read: try again later"));
  }

  #drop(holder: Holder): void {
    if (this.#holders.delete(holder)) this.#total -= holder.bytes;
  }
}
