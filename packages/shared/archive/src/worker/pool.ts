import { availableParallelism } from "node:os";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { Canceled, Internal, messageOf } from "@longshore/errdefs";
import { fromWire, receiveBytes, sendBytes } from "./byte-port.ts";
import type { JobName, Jobs } from "./jobs.ts";
import type { Request, Response } from "./messages.ts";

/** Beside this module; in a daemon's bundle, beside that. */
const script = import.meta.url.endsWith(".ts")
  ? new URL("./worker.ts", import.meta.url)
  : new URL("./archive-worker.mjs", import.meta.url);

export interface ArchiveWorkersOptions {
  /** Threads at most. A stream to a slow client holds one, so there are more than processors. */
  size?: number;
  /** Milliseconds after which a thread without work ends. */
  idleMs?: number;
}

interface Thread {
  worker: Worker;
  /** Settles the job that runs. */
  settle: ((response: Response) => void) | undefined;
  idleTimer: NodeJS.Timeout | undefined;
}

/**
 * Threads that read and write file trees with synchronous calls, which are several times quicker than
 * asynchronous ones and would otherwise block the daemon's event loop. They start when needed.
 */
export class ArchiveWorkers {
  readonly #size: number;
  readonly #idleMs: number;
  readonly #threads = new Set<Thread>();
  readonly #idle: Thread[] = [];
  readonly #waiting: ((thread: Thread) => void)[] = [];
  #closed = false;

  constructor({ size = Math.max(4, 2 * availableParallelism()), idleMs = 3_000 }: ArchiveWorkersOptions = {}) {
    this.#size = size;
    this.#idleMs = idleMs;
  }

  /**
   * Does a job that reads and writes files only, or takes `input`.
   * @throws what the job throws, Canceled when `signal` aborts
   */
  async run<K extends JobName>(
    job: K,
    options: Jobs[K]["options"],
    { input, signal }: { input?: AsyncIterable<Uint8Array> | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<Jobs[K]["result"]> {
    const thread = await this.#acquire(signal);
    let sourceError: unknown;
    try {
      let port: MessagePort | undefined;
      if (input !== undefined) {
        const { port1, port2 } = new MessageChannel();
        port = port2;
        // A source that fails fails the job. A job that fails does not wait for a source that stalls.
        sendBytes(port1, input).catch((error: unknown) => (sourceError = error));
      }
      return (await this.#start(thread, { job, options, input: port }, signal)) as Jobs[K]["result"];
    } catch (error) {
      throw sourceError ?? error;
    } finally {
      this.#release(thread);
    }
  }

  /** Does a job that writes a stream. Leaving the loop early ends it. @returns the job's result, as the generator's */
  async *stream<K extends JobName>(
    job: K,
    options: Jobs[K]["options"],
    signal?: AbortSignal,
  ): AsyncGenerator<Buffer, Jobs[K]["result"]> {
    const thread = await this.#acquire(signal);
    try {
      const { port1, port2 } = new MessageChannel();
      const result = this.#start(thread, { job, options, output: port2 }, signal);
      // Awaited below, but it may fail before.
      result.catch(() => undefined);
      let streamError: unknown;
      try {
        yield* receiveBytes(port1);
      } catch (error) {
        streamError = error;
      } finally {
        // Whether all was read or the reader has left: the thread is free when its job is over.
        await result.catch(() => undefined);
      }
      const value = await result;
      if (streamError !== undefined) throw streamError;
      return value as Jobs[K]["result"];
    } finally {
      this.#release(thread);
    }
  }

  /** Ends all threads; what runs fails. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#threads].map((thread) => this.#end(thread)));
  }

  #start(
    thread: Thread,
    request: Exclude<Request, { cancel: true }>,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const cancel = (): void => thread.worker.postMessage({ cancel: true } satisfies Request, []);
      thread.settle = (response) => {
        thread.settle = undefined;
        signal?.removeEventListener("abort", cancel);
        if ("result" in response) resolve(response.result);
        else reject(signal?.aborted === true ? new Canceled("context canceled") : fromWire(response.error));
      };
      const { input, output } = request;
      thread.worker.postMessage(
        request,
        [input, output].filter((port) => port !== undefined),
      );
      signal?.addEventListener("abort", cancel, { once: true });
      if (signal?.aborted === true) cancel();
    });
  }

  async #acquire(signal: AbortSignal | undefined): Promise<Thread> {
    const thread = await this.#next();
    if (signal?.aborted !== true) return thread;
    this.#release(thread);
    throw new Canceled("context canceled");
  }

  async #next(): Promise<Thread> {
    if (this.#closed) throw new Canceled("the archive workers are closed");
    const idle = this.#idle.pop();
    if (idle !== undefined) {
      clearTimeout(idle.idleTimer);
      idle.worker.ref();
      return idle;
    }
    if (this.#threads.size < this.#size) return this.#spawn();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #spawn(): Thread {
    // Descriptors come from sys as well as from Node; jobs close what they open.
    const worker = new Worker(script, { trackUnmanagedFds: false });
    const thread: Thread = { worker, settle: undefined, idleTimer: undefined };
    this.#threads.add(thread);
    thread.worker.on("message", (response: Response) => thread.settle?.(response));
    const gone = (error: unknown): void => {
      this.#threads.delete(thread);
      const at = this.#idle.indexOf(thread);
      if (at >= 0) this.#idle.splice(at, 1);
      thread.settle?.({ error: { code: 13, message: `an archive worker ended: ${messageOf(error)}` } });
    };
    thread.worker.on("error", gone);
    thread.worker.on("exit", (code) => gone(new Internal(`exit code ${code}`)));
    return thread;
  }

  #release(thread: Thread): void {
    const next = this.#waiting.shift();
    if (!this.#threads.has(thread)) {
      if (next !== undefined) next(this.#spawn());
      return;
    }
    if (next !== undefined) return next(thread);
    thread.worker.unref();
    thread.idleTimer = setTimeout(() => void this.#end(thread), this.#idleMs).unref();
    this.#idle.push(thread);
  }

  async #end(thread: Thread): Promise<void> {
    clearTimeout(thread.idleTimer);
    const at = this.#idle.indexOf(thread);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#threads.delete(thread);
    await thread.worker.terminate();
  }
}
