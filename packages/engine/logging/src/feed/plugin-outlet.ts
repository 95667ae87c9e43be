import { setTimeout as sleep } from "node:timers/promises";
import type { PlacedLine } from "./cursor.ts";
import { Delivery } from "./delivery.ts";
import type { LogDrivers, LogInfo } from "./driver.ts";
import { Entries } from "./entries.ts";
import type { Fifo } from "./fifo.ts";
import type { Outlet, Outlets } from "./outlet.ts";
import type { FeedState, Position } from "./position.ts";

/** How long a plugin may take for what lies in its FIFO when the engine stops, and how often we look, in milliseconds. */
const lastMs = 500;
const lookMs = 50;

class PluginOutlet implements Outlet {
  readonly #end: () => Promise<void>;
  readonly #fifo: Fifo;
  readonly #entries = new Entries();
  readonly #delivery = new Delivery();

  constructor(fifo: Fifo, end: () => Promise<void>) {
    this.#fifo = fifo;
    this.#end = end;
  }

  async send(lines: readonly PlacedLine[], signal: AbortSignal): Promise<void> {
    for (const { text, next } of lines) {
      const frame = this.#entries.frame(text);
      this.#delivery.sent(frame?.length ?? 0, next);
      if (frame !== undefined) await this.#fifo.write(frame, signal);
    }
  }

  sure(): Position | undefined {
    this.#delivery.taken(this.#fifo.taken);
    // Only whoever still reads has surely worked on what it took a while ago.
    this.#fifo.check();
    return this.#delivery.sure();
  }

  get waiting(): boolean {
    return this.#delivery.waiting;
  }

  async leave(): Promise<Position | undefined> {
    for (const deadline = performance.now() + lastMs; this.#fifo.taken < this.#fifo.written;) {
      if (performance.now() > deadline) break;
      await sleep(lookMs);
    }
    this.#delivery.taken(this.#fifo.taken);
    this.#fifo.check();
    return this.#delivery.last;
  }

  async end(): Promise<Position | undefined> {
    await this.#fifo.close();
    await this.#end();
    return this.#delivery.last;
  }

  async close(): Promise<void> {
    await this.#fifo.close();
  }
}

/** The way to a log driver plugin: a FIFO that it is told to read, whose name is kept until it was told to stop. */
export function pluginOutlets(driver: string, drivers: LogDrivers, info: LogInfo): Outlets {
  return {
    driver,
    begin: async ({ fifo, ...rest }) => {
      if (fifo !== undefined) await drivers.stop(driver, fifo);
      return rest;
    },
    open: async (state, save, signal) => {
      const path = drivers.newFifo();
      await save({ ...state, fifo: path });
      const fifo = await drivers.start(driver, path, info, signal);
      return new PluginOutlet(fifo, () => drivers.stop(driver, path));
    },
    discard: async ({ fifo }: FeedState) => {
      if (fifo !== undefined) await drivers.stop(driver, fifo).catch(() => undefined);
    },
  };
}
