import { readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "@longshore/logger";
import { removeTree } from "@longshore/sys";

/** Deletes the folders of snapshots that are no more, one after the other in the background. */
export class Removal {
  readonly #folder: string;
  readonly #logger: Logger;
  #running: Promise<void> = Promise.resolve();
  readonly #queued = new Set<string>();

  /** @param folder where the snapshots' folders lie, each named by its id */
  constructor(folder: string, logger: Logger) {
    this.#folder = folder;
    this.#logger = logger;
  }

  /** Takes a folder out of the way at once, and deletes it later. */
  remove(id: number): void {
    const name = `rm-${id}`;
    try {
      renameSync(join(this.#folder, String(id)), join(this.#folder, name));
    } catch (error) {
      this.#logger.warn({ err: error, id }, "cannot set aside the folder of a removed snapshot");
      return;
    }
    this.#enqueue(name);
  }

  /** Deletes every folder that belongs to no snapshot; with `keepUnknown` only those that were given up or never finished. */
  sweep(ids: ReadonlySet<number>, keepUnknown: boolean): void {
    for (const name of readdirSync(this.#folder)) {
      if (!(/^\d+$/.test(name) && (keepUnknown || ids.has(Number(name))))) this.#enqueue(name);
    }
  }

  #enqueue(name: string): void {
    if (this.#queued.has(name)) return;
    this.#queued.add(name);
    this.#running = this.#deleteAfter(this.#running, name);
  }

  async #deleteAfter(previous: Promise<void>, name: string): Promise<void> {
    await previous;
    try {
      await removeTree(join(this.#folder, name));
    } catch (error) {
      this.#logger.warn({ err: error, name }, "cannot delete the folder of a removed snapshot");
    } finally {
      this.#queued.delete(name);
    }
  }

  /** Settles when all that was asked for is deleted. */
  async settled(): Promise<void> {
    await this.#running;
  }
}
