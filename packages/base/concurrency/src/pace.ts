import { setImmediate } from "node:timers/promises";

/** How long work on one thing may go on before others have their turn, in milliseconds. */
const longest = 20;

/** For work in several steps of which each may be long: between two of them others have their turn, if it is time for that. */
export class Pace {
  #began = performance.now();

  async pause(): Promise<void> {
    if (performance.now() - this.#began < longest) return;
    await setImmediate();
    this.#began = performance.now();
  }
}
