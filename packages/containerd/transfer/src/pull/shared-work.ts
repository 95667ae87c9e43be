import { Canceled } from "@longshore/errdefs";

interface Task<T> {
  readonly result: Promise<T>;
  readonly abort: AbortController;
  readonly listeners: Set<(done: number) => void>;
  users: number;
}

type Work<T> = (signal: AbortSignal, report: (done: number) => void) => Promise<T>;

/** Work that several may want at once and that is done only once: the second joins the first. */
export class SharedWork<T> {
  readonly #tasks = new Map<string, Task<T>>();

  /**
   * Does `work`, or joins the one under way by the same key. The work is aborted once all who want it
   * are. Who joined work that failed does it himself: the other may have had other rights or given up.
   * @throws Canceled when `signal` aborts, whatever becomes of the work
   */
  async run(key: string, signal: AbortSignal, onProgress: (done: number) => void, work: Work<T>): Promise<T> {
    for (;;) {
      if (signal.aborted) throw new Canceled("context canceled", { cause: signal.reason });
      const known = this.#tasks.get(key);
      if (known === undefined || known.abort.signal.aborted)
        return this.#join(this.#start(key, known, work), signal, onProgress);
      try {
        return await this.#join(known, signal, onProgress);
      } catch (error) {
        if (signal.aborted) throw error;
      }
    }
  }

  #start(key: string, before: Task<T> | undefined, work: Work<T>): Task<T> {
    const abort = new AbortController();
    const listeners = new Set<(done: number) => void>();
    const result = (async () => {
      // Work that is being given up must be out of the way first: it may still hold what is needed.
      await before?.result.catch(() => undefined);
      return work(abort.signal, (done) => {
        for (const listener of listeners) listener(done);
      });
    })();
    const task: Task<T> = { result, abort, listeners, users: 0 };
    this.#tasks.set(key, task);
    const forget = (): void => {
      if (this.#tasks.get(key) === task) this.#tasks.delete(key);
    };
    result.then(forget, forget);
    return task;
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
