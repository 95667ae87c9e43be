import { type ProcessExit, type SpawnOptions, spawn } from "@longshore/sys";

/**
 * Who waits for which child. The relay reaps everything; exits arrive here by pid. A container's
 * init can end before its pid is known, so while a runtime is at work unclaimed exits are kept.
 */
export class Children {
  readonly #waiting = new Map<number, (exit: ProcessExit) => void>();
  readonly #unclaimed = new Map<number, ProcessExit>();
  #holds = 0;

  /** The relay's `exit` event. */
  exited(exit: ProcessExit): void {
    const waiting = this.#waiting.get(exit.pid);
    this.#waiting.delete(exit.pid);
    if (waiting !== undefined) waiting(exit);
    else if (this.#holds > 0) this.#unclaimed.set(exit.pid, exit);
  }

  /** Starts a program; resolves with its exit. A file that cannot be executed throws. */
  spawn(file: string, options: SpawnOptions): { pid: number; exit: Promise<ProcessExit> } {
    const pid = spawn(file, options);
    return { pid, exit: this.claim(pid) };
  }

  /** The exit of a process that is, or was while `hold` is in force, a child. */
  claim(pid: number): Promise<ProcessExit> {
    const exit = this.#unclaimed.get(pid);
    this.#unclaimed.delete(pid);
    return exit === undefined ? new Promise((resolve) => this.#waiting.set(pid, resolve)) : Promise.resolve(exit);
  }

  /** Keeps unclaimed exits until all that hold have let go. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    this.#holds++;
    try {
      return await work();
    } finally {
      if (--this.#holds === 0) this.#unclaimed.clear();
    }
  }
}
