import { messageOf } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";
import type { Collected } from "./collector.ts";

/** When garbage is collected without being asked for; the defaults are containerd's. */
export interface ScheduleOptions {
  /** The largest part of the time that collections may take up, at most a half; 0 for one each second at the most. */
  pauseThreshold?: number;
  /** Deletions that bring a collection about at once; 0 for none. Fewer wait for the next regular one. */
  deletionThreshold?: number;
  /** Changes that do; 0 for none. */
  mutationThreshold?: number;
  scheduleDelayMs?: number;
  startupDelayMs?: number;
}

/** The shortest duration that a collection is taken to have, for how far they lie apart. */
const leastDurationMs = 0.5;

/** containerd's: collections never take up more of the time than what is done besides. */
const largestShare = 0.5;

const defaults: Required<ScheduleOptions> = {
  pauseThreshold: 0.02,
  deletionThreshold: 0,
  mutationThreshold: 100,
  scheduleDelayMs: 0,
  startupDelayMs: 100,
};

/** Runs collections: at most one at a time, asked for or when enough has changed. */
export class Scheduler {
  readonly #collect: () => Promise<Collected>;
  readonly #logger: Logger;
  #options = defaults;
  #started = false;
  #running: Promise<Collected> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #mutations = 0;
  #deletions = 0;
  #notBefore = 0;
  /** How far regular collections lie apart. */
  #intervalMs = 1000;
  #closed = false;

  constructor(collect: () => Promise<Collected>, logger: Logger) {
    this.#collect = collect;
    this.#logger = logger;
  }

  /** Begins to collect by itself; until then only `run` does. */
  start(options: ScheduleOptions = {}): void {
    this.#options = { ...defaults, ...options };
    this.#started = true;
    this.#schedule(this.#options.startupDelayMs);
  }

  mutated(): void {
    this.#mutations++;
    this.#consider();
  }

  deleted(): void {
    this.#mutations++;
    this.#deletions++;
    this.#consider();
  }

  /** A collection that has begun after this call, and ended. */
  async run(): Promise<Collected> {
    // One that runs already may have passed by what the caller has just given up.
    while (this.#running !== undefined) await this.#running.catch(() => undefined);
    return this.#start();
  }

  /** Waits for a running collection; none begins afterwards by itself. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running?.catch(() => undefined);
  }

  #consider(): void {
    const { deletionThreshold, mutationThreshold, scheduleDelayMs } = this.#options;
    const enough =
      (mutationThreshold > 0 && this.#mutations >= mutationThreshold) ||
      (deletionThreshold > 0 && this.#deletions >= deletionThreshold);
    if (enough) this.#schedule(Math.max(scheduleDelayMs, this.#notBefore - Date.now()));
    else if (this.#deletions > 0) this.#schedule(this.#intervalMs);
  }

  #schedule(delayMs: number): void {
    if (!this.#started || this.#closed || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.run().catch((error: unknown) =>
        this.#logger.error({ error: messageOf(error) }, "garbage collection failed"),
      );
    }, delayMs);
    this.#timer.unref();
  }

  #start(): Promise<Collected> {
    this.#mutations = 0;
    this.#deletions = 0;
    // What it waited for is done now.
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const running = this.#collectTimed().finally(() => (this.#running = undefined));
    this.#running = running;
    return running;
  }

  async #collectTimed(): Promise<Collected> {
    const collected = await this.#collect();
    const share = Math.min(this.#options.pauseThreshold, largestShare);
    if (share > 0) this.#intervalMs = Math.max(collected.durationMs, leastDurationMs) * (1 / share - 1);
    this.#notBefore = Date.now() + this.#intervalMs;
    this.#logger.debug(collected, "garbage collected");
    return collected;
  }
}
