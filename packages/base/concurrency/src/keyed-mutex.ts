/** One piece of work on each thing at a time, while that on others goes on. */
export class KeyedMutex {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `work` when all that was asked of the same thing before has ended, however it did. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const result = (this.#last.get(key) ?? Promise.resolve()).then(work);
    const settled = result.catch(() => undefined);
    this.#last.set(key, settled);
    try {
      return await result;
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    }
  }

  /** Waits until all that has been asked for by now has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#last.values());
  }
}
