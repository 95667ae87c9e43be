/** Counts who uses a thing at the moment, so that who takes it away can wait for them. */
export class Uses {
  #count = 0;
  readonly #waiting: (() => void)[] = [];

  /** The thing is in use until `work` has ended, however it does. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#count++;
    try {
      return await work();
    } finally {
      this.#count--;
      if (this.#count === 0) for (const resolve of this.#waiting.splice(0)) resolve();
    }
  }

  /** Resolves at a moment when nobody uses it. New uses are for others to refuse. */
  async over(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
