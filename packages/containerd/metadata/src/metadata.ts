import { join } from "node:path";
import { makeDir } from "@longshore/atomicfile";
import type { Store as ContentStore } from "@longshore/content";
import { InvalidArgument, isKind } from "@longshore/errdefs";
import type { Publisher } from "@longshore/events";
import { validateIdentifier } from "@longshore/reference";
import type { Logger } from "@longshore/logger";
import { text } from "./records/columns.ts";
import { Containers } from "./records/containers.ts";
import { ScopedContent } from "./content/content.ts";
import type { CallScope, NamespaceStore, Scope, Snapshotter } from "./contract.ts";
import { damageOf, openSalvaging } from "./database/damage.ts";
import type { Environment } from "./environment.ts";
import { Gate } from "./gc/gate.ts";
import { Collector, type Collected } from "./gc/collector.ts";
import { type ScheduleOptions, Scheduler } from "./gc/scheduler.ts";
import { Images } from "./records/images.ts";
import { Leases } from "./records/leases.ts";
import { Namespaces } from "./records/namespaces.ts";
import { Sandboxes } from "./records/sandboxes.ts";
import { SnapshotTable } from "./snapshots/snapshot-table.ts";
import { ScopedSnapshotter } from "./snapshots/snapshots.ts";

export interface MetadataOptions {
  /** Directory of the database, `meta.db`; made when missing. */
  root: string;
  /** The blobs of all namespaces; from here on only the metadata store writes to it. */
  content: ContentStore;
  /** The backends by name, under the same rule. */
  snapshotters: Readonly<Record<string, Snapshotter>>;
  publisher: Publisher;
  logger: Logger;
  /** When garbage is collected by itself; `unscheduled`: from `scheduleCollections` on. */
  gc?: ScheduleOptions | "unscheduled";
}

/**
 * All records of containerd, by namespace, and the collection of what no record keeps. A change is
 * on disk when its promise resolves, but for what only protects or describes and is worth nothing alone
 * (leases, ingests, labels of blobs, the snapshots of layers): that is on disk before any change that comes
 * after it, and within a second. A process that dies leaves nothing half done that the next start does not
 * finish or undo.
 */
export class Metadata {
  readonly #env: Environment;
  readonly #scheduler: Scheduler;
  readonly #path: string;
  readonly namespaces: NamespaceStore;

  private constructor(env: Environment, scheduler: Scheduler, path: string) {
    this.#env = env;
    this.#scheduler = scheduler;
    this.#path = path;
    this.namespaces = new Namespaces(env);
  }

  static async open(options: MetadataOptions): Promise<Metadata> {
    const { root, content, publisher, logger } = options;
    await makeDir(root, 0o700);
    const path = join(root, "meta.db");
    const database = openSalvaging(path, logger);
    const env: Environment = {
      database,
      content,
      snapshotters: new Map(Object.entries(options.snapshotters)),
      publisher,
      gate: new Gate(),
      logger,
      onMutation: () => scheduler.mutated(),
      onDeletion: () => scheduler.deleted(),
    };
    const collector = new Collector(env, () => damageOf(database, path).length > 0);
    const scheduler = new Scheduler(() => collector.collect(), logger);
    await finishCommits(env);
    await forgetLost(env);
    if (options.gc !== "unscheduled") scheduler.start(options.gc);
    return new Metadata(env, scheduler, path);
  }

  /** The stores as one call sees them. @throws InvalidArgument for what is no namespace */
  scope({ namespace, lease }: CallScope): Scope {
    validateIdentifier(namespace, "namespace validation: ");
    const env = this.#env;
    const scope: CallScope = { namespace, lease };
    return {
      ...scope,
      containers: new Containers(env, namespace),
      sandboxes: new Sandboxes(env, namespace),
      images: new Images(env, namespace),
      leases: new Leases(env, namespace),
      content: new ScopedContent(env, scope),
      snapshotter: (name) => {
        if (name === "") throw new InvalidArgument("snapshotter argument missing: invalid argument");
        const backend = env.snapshotters.get(name);
        if (backend === undefined) throw new InvalidArgument(`snapshotter not loaded: ${name}: invalid argument`);
        return new ScopedSnapshotter(env, scope, name, backend);
      },
    };
  }

  /** What was damaged and set aside, in words. */
  damage(): string[] {
    return damageOf(this.#env.database, this.#path);
  }

  /** From now on garbage is collected by itself; without, only when that is asked for. */
  scheduleCollections(options?: ScheduleOptions): void {
    this.#scheduler.start(options);
  }

  /** Collects garbage now; resolves when that is done. */
  collectGarbage(): Promise<Collected> {
    return this.#scheduler.run();
  }

  async close(): Promise<void> {
    await this.#scheduler.close();
    await this.#env.gate.alone(() => this.#env.database.close());
  }
}

/** Brings commits of snapshots that were cut off to their end, or back to their beginning. */
async function finishCommits({ database, snapshotters, logger }: Environment): Promise<void> {
  for (const row of database.all("SELECT * FROM snapshots WHERE committing IS NOT NULL")) {
    const snapshotter = text(row, "snapshotter");
    const backend = snapshotters.get(snapshotter);
    if (backend === undefined) continue;
    const key = text(row, "key");
    const table = new SnapshotTable(database, text(row, "namespace"), snapshotter);
    try {
      await backend.stat(text(row, "committing_key"));
      table.fulfil(key);
    } catch (error) {
      if (!isKind(error, "NotFound")) throw error;
      table.plan(key, undefined);
    }
    logger.info({ snapshotter, key, name: text(row, "committing") }, "commit of a snapshot was cut off: settled");
  }
}

/** Forgets snapshots that their snapshotter has lost: an image's can then be made anew. */
async function forgetLost({ database, snapshotters, logger }: Environment): Promise<void> {
  for (const [name, backend] of snapshotters) {
    const held = new Set<string>();
    for await (const { name: key } of backend.list()) held.add(key);
    for (const row of database.all("SELECT * FROM snapshots WHERE snapshotter = ?", name)) {
      if (held.has(text(row, "backend_key"))) continue;
      const namespace = text(row, "namespace");
      const key = text(row, "key");
      new SnapshotTable(database, namespace, name).delete(key);
      logger.error(
        { snapshotter: name, namespace, key },
        "the snapshotter has lost a snapshot: its record is forgotten",
      );
    }
  }
}
