/** One change to each thing after the other. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `change` when those to the same thing before it have ended, however they did. */
  async take<T>(key: string, change: () => Promise<T>): Promise<T> {
    const result = (this.#last.get(key) ?? Promise.resolve()).then(change);
    const settled = result.catch(() => undefined);
    this.#last.set(key, settled);
    try {
      return await result;
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    }
  }
}
