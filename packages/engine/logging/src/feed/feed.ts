import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "@longshore/logger";
import { ChangeWatch } from "../reading/change-watch.ts";
import { Delivery } from "./delivery.ts";
import { LogCursor } from "./cursor.ts";
import type { LogDrivers, LogInfo } from "./driver.ts";
import { Entries } from "./entries.ts";
import type { Fifo } from "./fifo.ts";
import { type FeedState, type Position, readFeedState, writeFeedState } from "./position.ts";

export interface FeedOptions {
  driver: string;
  drivers: LogDrivers;
  info: LogInfo;
  /** Of the live file that the shim writes. */
  log: string;
  /** Where the position is kept. */
  state: string;
  logger: Logger;
  /** The end of an earlier feed of the same log. */
  after: Promise<void> | undefined;
}

/** How often the position is written at most, and how often we look whether the plugin has read on, in milliseconds. */
const saveMs = 1000;
const lookMs = 50;
/** How long a plugin may take for what lies in its FIFO when the engine stops, in milliseconds. */
const lastMs = 500;
/** Pauses between attempts to reach a plugin, in milliseconds. */
const firstPauseMs = 500;
const maxPauseMs = 30_000;

/**
 * Feeds one container's log to a plugin, from what the shim wrote. The position moves behind what the
 * plugin took out of its FIFO a moment ago and has had the time to work on, so that nothing is lost while it
 * or the engine is away; what it took in the last moment it gets once more after either was killed.
 */
export class LogFeed {
  readonly #options: FeedOptions;
  readonly #stop = new AbortController();
  readonly #ended = new AbortController();
  readonly #done: Promise<void>;
  #state: FeedState = {};
  #savedAt = 0;
  /** Who waits for the plugin to have all. */
  #asking: (() => void)[] = [];
  #look = new AbortController();
  #unsaved = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#done = this.#run().catch((error: unknown) =>
      options.logger.error({ err: error, container: options.info.ContainerID }, "feeding a log driver ended"),
    );
  }

  /** The container has ended: what is left is delivered. Resolves when that is done, or after `timeoutMs`. */
  async finish(timeoutMs: number): Promise<void> {
    this.#ended.abort();
    const timer = new AbortController();
    await Promise.race([this.#done, sleep(timeoutMs, undefined, { signal: timer.signal }).catch(() => undefined)]);
    timer.abort();
  }

  /** Resolves when the plugin has taken what is in the log by now, or after `timeoutMs`. */
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

  /** As `close`, for good: the plugin is told, and its FIFO goes. */
  async discard(): Promise<void> {
    await this.close();
    if (this.#state.fifo !== undefined)
      await this.#options.drivers.stop(this.#options.driver, this.#state.fifo).catch(() => undefined);
  }

  async #run(): Promise<void> {
    const { driver, drivers, logger, info, state, after } = this.#options;
    await after;
    this.#state = await readFeedState(state);
    let pause = firstPauseMs;
    while (!this.#stop.signal.aborted) {
      const before = this.#state.position;
      try {
        if (this.#state.fifo !== undefined) await drivers.stop(driver, this.#state.fifo);
        await this.#session();
        return;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        logger.warn(
          { err: error, driver, container: info.ContainerID },
          "a log driver does not take a container's log: its lines wait",
        );
      }
      pause = this.#state.position === before ? Math.min(pause * 2, maxPauseMs) : firstPauseMs;
      await sleep(pause, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  /** From the position to the end of the container. @throws when the plugin goes away */
  async #session(): Promise<void> {
    const { driver, drivers, info, log } = this.#options;
    const cursor = new LogCursor(log, this.#state.position);
    const entries = new Entries();
    const delivery = new Delivery();
    let fifo: Fifo | undefined;
    const watch = new ChangeWatch(log);
    try {
      for (;;) {
        const last = this.#ended.signal.aborted;
        const asking = [...this.#asking];
        this.#look = new AbortController();
        const lines = await cursor.next();
        if (fifo === undefined && (lines.length > 0 || !last)) {
          const path = drivers.newFifo();
          await this.#save({ ...this.#state, fifo: path });
          fifo = await drivers.start(driver, path, info, this.#stop.signal);
        }
        if (fifo === undefined) return;
        for (const { text, next } of lines) {
          const frame = entries.frame(text);
          delivery.sent(frame?.length ?? 0, next);
          if (frame !== undefined) await fifo.write(frame, this.#stop.signal);
        }
        delivery.taken(fifo.taken);
        // Only whoever still reads has surely worked on what it took a while ago.
        fifo.check();
        await this.#moveTo(delivery.sure());
        if (this.#stop.signal.aborted) return;
        if (lines.length > 0) continue;
        if (delivery.waiting) {
          await sleep(lookMs);
          continue;
        }
        for (const resolve of asking) resolve();
        if (last) break;
        await watch.wait(AbortSignal.any([this.#stop.signal, this.#ended.signal, this.#look.signal]));
      }
    } finally {
      watch.close();
      await cursor.close();
      if (fifo !== undefined && this.#stop.signal.aborted) await this.#leave(fifo, delivery);
      await fifo?.close();
    }
    await drivers.stop(driver, fifo.path);
    const { fifo: _told, ...rest } = this.#state;
    await this.#save({ ...rest, ...(delivery.last === undefined ? {} : { position: delivery.last }) });
  }

  async #moveTo(position: Position | undefined): Promise<void> {
    if (position !== undefined) {
      this.#state = { ...this.#state, position };
      this.#unsaved = true;
    }
    if (this.#unsaved && performance.now() - this.#savedAt > saveMs) await this.#save(this.#state);
  }

  /** The engine stops while the plugin reads on: what that takes now it does not get once more. */
  async #leave(fifo: Fifo, delivery: Delivery): Promise<void> {
    try {
      for (const deadline = performance.now() + lastMs; fifo.taken < fifo.written && performance.now() < deadline;)
        await sleep(lookMs);
      delivery.taken(fifo.taken);
      fifo.check();
      await this.#moveTo(delivery.last);
    } catch {
      // It has gone as well.
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
