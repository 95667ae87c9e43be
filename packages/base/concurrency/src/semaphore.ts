import { Canceled } from "@longshore/errdefs";

/** Semaphores by their size, each shared by all who ask for that size. */
export class Slots {
  readonly #bySize = new Map<number, Semaphore>();
  readonly #usual: number;

  constructor(usual: number) {
    this.#usual = usual;
  }

  /** @param size absent or 0: the usual one */
  of(size: number | undefined): Semaphore {
    const wanted = size || this.#usual;
    const known = this.#bySize.get(wanted) ?? new Semaphore(wanted);
    this.#bySize.set(wanted, known);
    return known;
  }
}

/** Lets so many in at once; the others wait in the order of their coming. */
export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(size: number) {
    this.#free = size;
  }

  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#enter();
    try {
      if (signal.aborted) throw new Canceled("context canceled", { cause: signal.reason });
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  #enter(): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free -= 1;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
