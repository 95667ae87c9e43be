import type { Store as ContentStore } from "@longshore/content";
import type { Publisher } from "@longshore/events";
import type { Logger } from "@longshore/logger";
import type { Snapshotter } from "./contract.ts";
import type { Database } from "./database/database.ts";
import type { Gate } from "./gc/gate.ts";

/** What all stores of the metadata share. */
export interface Environment {
  database: Database;
  /** The blobs of all namespaces. */
  content: ContentStore;
  /** The snapshots of all namespaces, by snapshotter. */
  snapshotters: ReadonlyMap<string, Snapshotter>;
  publisher: Publisher;
  gate: Gate;
  logger: Logger;
  /** Told of each change, so that garbage is collected in time. */
  onMutation: () => void;
  onDeletion: () => void;
}

/**
 * Resolves when all records are on the disk, the snapshotters' before ours that name them. For records by
 * which others find an image's layers.
 */
export async function allFlushed({ database, snapshotters }: Environment): Promise<void> {
  await Promise.all([...snapshotters.values()].map((backend) => backend.flushed?.()));
  await database.flushed();
}

/** Makes a namespace known: the first object in it does that. Part of the caller's transaction. */
export function ensureNamespace(database: Database, namespace: string): void {
  database.run("INSERT OR IGNORE INTO namespaces (name, labels) VALUES (?, '{}')", namespace);
}
