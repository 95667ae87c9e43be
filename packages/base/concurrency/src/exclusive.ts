import { Conflict } from "@longshore/errdefs";

/** Work of which one piece may run at a time: who comes meanwhile is refused. */
export class Exclusive {
  readonly #what: string;
  #running = false;

  /** @param what the work is, e.g. `a prune operation` */
  constructor(what: string) {
    this.#what = what;
  }

  /** @throws Conflict `a prune operation is already running` */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running) throw new Conflict(`${this.#what} is already running`);
    this.#running = true;
    try {
      return await work();
    } finally {
      this.#running = false;
    }
  }
}
