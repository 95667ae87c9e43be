import { type FSWatcher, watch } from "node:fs";
import { dirname } from "node:path";

/** Not every file system reports changes: look again after this long in any case. */
const pollMs = 500;

/** Lets a reader sleep until something happens in the directory of a log. */
export class ChangeWatch {
  readonly #watcher: FSWatcher;
  #changed = false;
  #wake: (() => void) | undefined;

  constructor(path: string) {
    this.#watcher = watch(dirname(path), () => this.#signal());
    this.#watcher.on("error", () => this.#signal());
  }

  #signal(): void {
    this.#changed = true;
    this.#wake?.();
  }

  /** Resolves at the next change, at once when there was one since the last call. */
  async wait(signal: AbortSignal): Promise<void> {
    if (!this.#changed && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, pollMs);
      this.#wake = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true });
      await promise;
      clearTimeout(timer);
      this.#wake = undefined;
    }
    this.#changed = false;
  }

  close(): void {
    this.#watcher.close();
  }
}
