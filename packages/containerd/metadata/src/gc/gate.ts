/**
 * Many may pass at once, or one alone: changes that span the database and a backend pass together,
 * garbage collection passes alone. Who wants to be alone is not overtaken.
 */
export class Gate {
  #passing = 0;
  #alone = false;
  readonly #waiting: { alone: boolean; enter: () => void }[] = [];

  /** Runs `work` beside others. */
  async pass<T>(work: () => Promise<T> | T): Promise<T> {
    return this.#run(false, work);
  }

  /** Runs `work` when nobody else is inside, and lets nobody in meanwhile. */
  async alone<T>(work: () => Promise<T> | T): Promise<T> {
    return this.#run(true, work);
  }

  async #run<T>(alone: boolean, work: () => Promise<T> | T): Promise<T> {
    if (this.#waiting.length > 0 || !this.#mayEnter(alone)) {
      await new Promise<void>((enter) => this.#waiting.push({ alone, enter }));
    } else {
      this.#enter(alone);
    }
    try {
      return await work();
    } finally {
      if (alone) this.#alone = false;
      else this.#passing--;
      this.#admit();
    }
  }

  #mayEnter(alone: boolean): boolean {
    return !this.#alone && (!alone || this.#passing === 0);
  }

  #enter(alone: boolean): void {
    if (alone) this.#alone = true;
    else this.#passing++;
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#mayEnter(next.alone); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#enter(next.alone);
      next.enter();
    }
  }
}
