import { Unavailable } from "@longshore/errdefs";

/** One holder per ref. */
export class RefLocks {
  readonly #since = new Map<string, Date>();

  /** @returns what lets the ref go; further calls do nothing @throws Unavailable while it is held */
  lock(ref: string): () => void {
    const since = this.#since.get(ref);
    if (since !== undefined)
      throw new Unavailable(
        `ref ${ref} locked for ${Date.now() - since.getTime()}ms (since ${since.toISOString()}): unavailable`,
      );
    const mine = new Date();
    this.#since.set(ref, mine);
    return () => {
      if (this.#since.get(ref) === mine) this.#since.delete(ref);
    };
  }
}
