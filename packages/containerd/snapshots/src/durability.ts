import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { messageOf } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";
import type { SnapshotMetadata } from "./metadata.ts";

const run = promisify(execFile);

/** On a layer whose content may not be on the disk yet: the boot of the machine in which it was unpacked. */
const unsyncedLabel = "longshore.unsynced";
const delayMs = 1000;
/** How whoever unpacks layers names a snapshot that he fills (containerd's convention): what is lost of it a blob still has. */
const extractKey = /(^|\/)extract-\S+ sha256:/;

/** This boot of the machine: what only the page cache had is gone with it. */
export function currentBoot(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** Labels as clients see them. */
export function withoutMark(labels: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => key !== unsyncedLabel));
}

/**
 * Brings unpacked layers to the disk without making each commit wait for it: a layer is marked, and one
 * sync a little later takes all that are. What is still marked after a reboot may have lost content: it
 * loses its name, and is unpacked again from its blob by whoever needs it.
 */
export class Durability {
  readonly #metadata: SnapshotMetadata;
  readonly #folder: string;
  readonly #boot: string;
  readonly #logger: Logger;
  readonly #unsynced = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  #syncing: Promise<void> = Promise.resolve();

  constructor(metadata: SnapshotMetadata, folder: string, boot: string, logger: Logger) {
    this.#metadata = metadata;
    this.#folder = folder;
    this.#boot = boot;
    this.#logger = logger;
    for (const { id, name, labels } of metadata.list()) {
      const written = labels[unsyncedLabel];
      if (written === undefined || name.startsWith("lost/")) continue;
      if (written === boot) this.#unsynced.add(id);
      else
        for (const lost of metadata.giveUp(id))
          logger.warn(
            { snapshot: lost },
            "the machine went down before a snapshot was on its disk: it is to be unpacked again",
          );
    }
    if (this.#unsynced.size > 0) this.#soon();
  }

  /** The labels of a snapshot that is committed: with the mark when it was filled, under `key`, with a layer. */
  mark(labels: Record<string, string>, key: string): Record<string, string> {
    return extractKey.test(key) ? { ...labels, [unsyncedLabel]: this.#boot } : labels;
  }

  /** `labels`, with the mark that `old` has, if any. */
  keepMark(labels: Record<string, string>, old: Record<string, string>): Record<string, string> {
    const mark = old[unsyncedLabel];
    return mark === undefined ? labels : { ...labels, [unsyncedLabel]: mark };
  }

  /** What was filled under `key` is committed. */
  committed(id: number, key: string): void {
    if (!extractKey.test(key)) return;
    this.#unsynced.add(id);
    this.#soon();
  }

  /**
   * Before somebody writes on layers: waits until they are on the disk, so that none that carries his work
   * is ever given up. Layers that are filled one on the other need not wait.
   */
  async settle(key: string, parent: string): Promise<void> {
    if (this.#unsynced.size === 0 || parent === "" || extractKey.test(key)) return;
    const below = this.#metadata.find(parent)?.id;
    if (below === undefined) return;
    if ([below, ...this.#metadata.parentIds(below)].some((id) => this.#unsynced.has(id))) await this.sync();
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.sync().catch((error: unknown) =>
        this.#logger.error({ error: messageOf(error) }, "snapshots could not be synced to the disk"),
      );
    }, delayMs).unref();
  }

  /** Writes all out, and takes the marks off. */
  sync(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const next = this.#syncing.then(() => this.#syncNow());
    this.#syncing = next.catch(() => undefined);
    return next;
  }

  async #syncNow(): Promise<void> {
    const ids = [...this.#unsynced];
    if (ids.length === 0) return;
    // In a process of its own: a slow disk must not hold up this one.
    await run("sync", ["-f", this.#folder]);
    this.#metadata.essential(() => {
      for (const id of ids) this.#metadata.relabel(id, withoutMark);
    });
    for (const id of ids) this.#unsynced.delete(id);
  }
}
