import type { ContainerdClient } from "../connection/client.ts";

/** `tasks.create`, `snapshots.prepare`, … */
export type CallName = {
  [K in keyof ContainerdClient]: `${K}.${Extract<keyof ContainerdClient[K], string>}`;
}[keyof ContainerdClient];

export interface FaultOptions {
  /** How many calls it meets; 1 by default. */
  readonly times?: number;
  /** So many calls go through before. */
  readonly after?: number;
  /** The call is done, and only its answer is lost. */
  readonly done?: boolean;
  /** Which calls are meant, by their message. */
  readonly when?: (request: unknown) => boolean;
}

interface Fault {
  readonly name: CallName;
  readonly when: (request: unknown) => boolean;
  skip: number;
  left: number;
  readonly meet: (request: unknown, run: () => unknown) => unknown;
}

/** A call that waits for a test. */
export interface Held {
  /** Resolves with the call's message when it is made. */
  readonly reached: Promise<unknown>;
  /** Lets it go on. */
  release(): void;
}

/** What goes wrong with calls to the fake, as a test has asked for; each fault meets so many calls and is over. */
export class Faults {
  readonly #faults: Fault[] = [];

  /** Has the next call fail. */
  fail(name: CallName, error: Error, options: FaultOptions = {}): void {
    const done = options.done === true;
    this.#add(name, options, (_request, run) => {
      if (!done) throw error;
      return Promise.resolve(run()).then(() => Promise.reject(error));
    });
  }

  /** Has the next call wait before it does anything; not for calls that answer with a stream. */
  hold(name: CallName, options: FaultOptions = {}): Held {
    const reached = Promise.withResolvers<unknown>();
    const released = Promise.withResolvers<void>();
    this.#add(name, options, (request, run) => {
      reached.resolve(request);
      return released.promise.then(run);
    });
    return { reached: reached.promise, release: () => released.resolve() };
  }

  /** Calls `work` before the next call. */
  before(name: CallName, work: (request: unknown) => void, options: FaultOptions = {}): void {
    this.#add(name, options, (request, run) => {
      work(request);
      return run();
    });
  }

  /** Faults that have met no call yet, for a test to see that it tested what it meant to. */
  get pending(): CallName[] {
    return this.#faults.map(({ name }) => name);
  }

  clear(): void {
    this.#faults.length = 0;
  }

  around<T>(name: CallName, request: unknown, run: () => T): T {
    for (const [index, fault] of this.#faults.entries()) {
      if (fault.name !== name || !fault.when(request)) continue;
      if (fault.skip > 0) {
        fault.skip--;
        continue;
      }
      if (--fault.left === 0) this.#faults.splice(index, 1);
      return fault.meet(request, run) as T;
    }
    return run();
  }

  #add(name: CallName, { times = 1, after = 0, when = () => true }: FaultOptions, meet: Fault["meet"]): void {
    this.#faults.push({ name, when, skip: after, left: times, meet });
  }
}
