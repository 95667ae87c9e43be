import { InvalidArgument, NotFound } from "@longshore/errdefs";
import { date, labels as labelsOf, text } from "../records/columns.ts";
import type { Labels } from "../contract.ts";
import type { Database, Row } from "../database/database.ts";
import { ensureNamespace } from "../environment.ts";

export interface SnapshotRecord {
  key: string;
  /** Its key in the backend. */
  backendKey: string;
  parent: string;
  labels: Labels;
  createdAt: Date;
  updatedAt: Date;
}

/** A commit that is under way in the backend. */
export interface CommitIntent {
  name: string;
  labels: Labels;
  backendKey: string;
}

/** @throws DataLoss when the record cannot be read */
export function snapshotOf(row: Row): SnapshotRecord {
  return {
    key: text(row, "key"),
    backendKey: text(row, "backend_key"),
    parent: text(row, "parent"),
    labels: labelsOf(row),
    createdAt: date(row, "created_at"),
    updatedAt: date(row, "updated_at"),
  };
}

/** The snapshot records of one snapshotter in one namespace. */
export class SnapshotTable {
  readonly #database: Database;
  readonly #in: readonly [namespace: string, snapshotter: string];

  constructor(database: Database, namespace: string, snapshotter: string) {
    this.#database = database;
    this.#in = [namespace, snapshotter];
  }

  /** @throws InvalidArgument for the empty key */
  checkKey(key: string): void {
    if (key === "") throw new InvalidArgument("snapshot key must not be empty: invalid argument");
  }

  find(key: string): SnapshotRecord | undefined {
    const row = this.#database.get(
      "SELECT * FROM snapshots WHERE namespace = ? AND snapshotter = ? AND key = ?",
      ...this.#in,
      key,
    );
    return row && snapshotOf(row);
  }

  /** All of them, to be read with `snapshotOf`. */
  rows(): Row[] {
    return this.#database.all(
      "SELECT * FROM snapshots WHERE namespace = ? AND snapshotter = ? ORDER BY key",
      ...this.#in,
    );
  }

  hasChildren(key: string): boolean {
    return (
      this.#database.get(
        "SELECT 1 FROM snapshots WHERE namespace = ? AND snapshotter = ? AND parent = ? LIMIT 1",
        ...this.#in,
        key,
      ) !== undefined
    );
  }

  /** Whether the key is in use, or about to be by a commit that is under way. */
  isTaken(key: string): boolean {
    const [namespace, snapshotter] = this.#in;
    return (
      this.#database.get(
        "SELECT 1 FROM snapshots WHERE namespace = ?1 AND snapshotter = ?2 AND (key = ?3 OR committing = ?3)",
        namespace,
        snapshotter,
        key,
      ) !== undefined
    );
  }

  /** Makes the record, or changes the labels of the one that is there. */
  put(record: SnapshotRecord): void {
    this.#database.transaction(() => {
      ensureNamespace(this.#database, this.#in[0]);
      this.#database.run(
        `INSERT INTO snapshots (namespace, snapshotter, key, backend_key, parent, labels, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (namespace, snapshotter, key) DO UPDATE SET labels = excluded.labels, updated_at = excluded.updated_at`,
        ...this.#in,
        record.key,
        record.backendKey,
        record.parent,
        JSON.stringify(record.labels),
        record.createdAt.getTime(),
        record.updatedAt.getTime(),
      );
    });
  }

  /** Notes that `key` is being committed, or no longer. */
  plan(key: string, intent: CommitIntent | undefined): void {
    this.#database.essential(() =>
      this.#database.run(
        "UPDATE snapshots SET committing = ?, committing_labels = ?, committing_key = ? WHERE namespace = ? AND snapshotter = ? AND key = ?",
        intent?.name ?? null,
        intent === undefined ? null : JSON.stringify(intent.labels),
        intent?.backendKey ?? null,
        ...this.#in,
        key,
      ),
    );
  }

  /**
   * The planned commit of `key` is done in the backend: its record becomes the committed one's.
   * @throws NotFound when the snapshot was removed meanwhile
   */
  fulfil(key: string): void {
    const changed = this.#database.essential(() =>
      this.#database.run(
        `UPDATE snapshots SET key = committing, backend_key = committing_key, labels = committing_labels, created_at = ?1, updated_at = ?1,
           committing = NULL, committing_labels = NULL, committing_key = NULL
         WHERE namespace = ?2 AND snapshotter = ?3 AND key = ?4 AND committing IS NOT NULL`,
        Date.now(),
        ...this.#in,
        key,
      ),
    );
    if (changed === 0) throw new NotFound(`snapshot ${key} does not exist: not found`);
  }

  delete(key: string): void {
    this.#database.run("DELETE FROM snapshots WHERE namespace = ? AND snapshotter = ? AND key = ?", ...this.#in, key);
  }
}
