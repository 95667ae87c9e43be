import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "@longshore/logger";
import { ChangeWatch } from "../reading/change-watch.ts";
import { LogCursor } from "./cursor.ts";
import type { Outlet, Outlets } from "./outlet.ts";
import { type FeedState, type Position, readFeedState, writeFeedState } from "./position.ts";

export interface FeedOptions {
  outlets: Outlets;
  /** The container's id. */
  container: string;
  /** Of the live file that the shim writes. */
  log: string;
  /** Where the position is kept. */
  state: string;
  logger: Logger;
  /** The end of an earlier feed of the same log. */
  after: Promise<void> | undefined;
}

/** How often the position is written at most, and how often we look whether what was sent has been taken, in milliseconds. */
const saveMs = 1000;
const lookMs = 50;
/** Pauses between attempts to reach whoever takes the lines, in milliseconds. */
const firstPauseMs = 500;
const maxPauseMs = 30_000;

/**
 * Feeds one container's log to a plugin or a log server, from what the shim wrote. The position moves behind what
 * was taken a moment ago and has been worked on since, so that nothing is lost while they or the engine are away;
 * what was taken in the last moment is sent once more after either was killed.
 */
export class LogFeed {
  readonly #options: FeedOptions;
  readonly #stop = new AbortController();
  readonly #ended = new AbortController();
  readonly #done: Promise<void>;
  #state: FeedState = {};
  #savedAt = 0;
  /** Who waits until all is taken. */
  #asking: (() => void)[] = [];
  #look = new AbortController();
  #unsaved = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#done = this.#run().catch((error: unknown) =>
      options.logger.error({ err: error, container: options.container }, "feeding a log driver ended"),
    );
  }

  /** The container has ended: what is left is delivered. Resolves when that is done, or after `timeoutMs`. */
  async finish(timeoutMs: number): Promise<void> {
    this.#ended.abort();
    const timer = new AbortController();
    await Promise.race([this.#done, sleep(timeoutMs, undefined, { signal: timer.signal }).catch(() => undefined)]);
    timer.abort();
  }

  /** Resolves when what is in the log by now has been taken, or after `timeoutMs`. */
  async caughtUp(timeoutMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#asking.push(resolve);
    this.#look.abort();
    const timer = new AbortController();
    await Promise.race([
      promise,
      this.#done,
      sleep(timeoutMs, undefined, { signal: timer.signal }).catch(() => undefined),
    ]);
    timer.abort();
    this.#asking = this.#asking.filter((asking) => asking !== resolve);
  }

  /** Stops at once; the position is kept. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  /** As `close`, for good: nothing is left behind. */
  async discard(): Promise<void> {
    await this.close();
    await this.#options.outlets.discard(this.#state);
  }

  async #run(): Promise<void> {
    const { after, container, logger, outlets, state } = this.#options;
    await after;
    this.#state = await readFeedState(state);
    let pause = firstPauseMs;
    while (!this.#stop.signal.aborted) {
      const before = this.#state.position;
      try {
        this.#state = await outlets.begin(this.#state);
        await this.#session();
        return;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        logger.warn(
          { err: error, driver: outlets.driver, container },
          "a log driver does not take a container's log: its lines wait",
        );
      }
      pause = this.#state.position === before ? Math.min(pause * 2, maxPauseMs) : firstPauseMs;
      await sleep(pause, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  /** From the position to the end of the container. @throws when nobody takes lines any more */
  async #session(): Promise<void> {
    const { log, outlets } = this.#options;
    const cursor = new LogCursor(log, this.#state.position);
    let outlet: Outlet | undefined;
    const watch = new ChangeWatch(log);
    try {
      for (;;) {
        const last = this.#ended.signal.aborted;
        const asking = [...this.#asking];
        this.#look = new AbortController();
        const lines = await cursor.next();
        if (outlet === undefined && (lines.length > 0 || !last))
          outlet = await outlets.open(this.#state, (state) => this.#save(state), this.#stop.signal);
        if (outlet === undefined) return;
        await outlet.send(lines, this.#stop.signal);
        if (last && lines.length === 0) await outlet.flush?.(this.#stop.signal);
        await this.#moveTo(outlet.sure());
        if (this.#stop.signal.aborted) return;
        if (lines.length > 0) continue;
        if (outlet.waiting) {
          await sleep(lookMs);
          continue;
        }
        for (const resolve of asking) resolve();
        if (last) break;
        await watch.wait(AbortSignal.any([this.#stop.signal, this.#ended.signal, this.#look.signal]));
      }
      const position = await outlet.end();
      const { fifo: _told, ...rest } = this.#state;
      await this.#save({ ...rest, ...(position === undefined ? {} : { position }) });
    } finally {
      watch.close();
      await cursor.close();
      if (outlet !== undefined && this.#stop.signal.aborted) await this.#leave(outlet);
      await outlet?.close();
    }
  }

  async #moveTo(position: Position | undefined): Promise<void> {
    if (position !== undefined) {
      this.#state = { ...this.#state, position };
      this.#unsaved = true;
    }
    if (this.#unsaved && performance.now() - this.#savedAt > saveMs) await this.#save(this.#state);
  }

  /** The engine stops: what is taken now is not sent once more. */
  async #leave(outlet: Outlet): Promise<void> {
    try {
      await this.#moveTo(await outlet.leave());
    } catch {
      // Nobody takes it any more.
    }
    await this.#save(this.#state);
  }

  async #save(state: FeedState): Promise<void> {
    this.#state = state;
    this.#savedAt = performance.now();
    this.#unsaved = false;
    await writeFeedState(this.#options.state, state);
  }
}
