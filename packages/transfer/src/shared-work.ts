import { Canceled } from "@longshore/errdefs";

interface Task<T> {
  readonly result: Promise<T>;
  readonly abort: AbortController;
  readonly listeners: Set<(done: number) => void>;
  users: number;
}

/** Work that several may want at once and that is done only once: the second joins the first. */
export class SharedWork<T> {
  readonly #tasks = new Map<string, Task<T>>();

  /**
   * Does `work`, or joins the one under way by the same key. The work is aborted once all who want it are.
   * @throws Canceled when `signal` aborts, whatever becomes of the work
   */
  async run(key: string, signal: AbortSignal, onProgress: (done: number) => void, work: (signal: AbortSignal, report: (done: number) => void) => Promise<T>): Promise<T> {
    if (signal.aborted) throw new Canceled("context canceled", { cause: signal.reason });
    let task = this.#tasks.get(key);
    if (task === undefined || task.abort.signal.aborted) {
      const abort = new AbortController();
      const listeners = new Set<(done: number) => void>();
      const before = task?.result.catch(() => undefined);
      // Work that is being given up must be out of the way first: it may still hold what is needed.
      const result = (async () => {
        await before;
        return work(abort.signal, (done) => {
          for (const listener of listeners) listener(done);
        });
      })();
      const own: Task<T> = { result, abort, listeners, users: 0 };
      this.#tasks.set(key, own);
      const forget = (): void => {
        if (this.#tasks.get(key) === own) this.#tasks.delete(key);
      };
      result.then(forget, forget);
      task = own;
    }
    return this.#join(task, signal, onProgress);
  }

  async #join(task: Task<T>, signal: AbortSignal, onProgress: (done: number) => void): Promise<T> {
    task.users += 1;
    task.listeners.add(onProgress);
    const aborted = Promise.withResolvers<never>();
    const onAbort = (): void => aborted.reject(new Canceled("context canceled", { cause: signal.reason }));
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([task.result, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", onAbort);
      task.listeners.delete(onProgress);
      task.users -= 1;
      if (task.users === 0) task.abort.abort();
    }
  }
}
