import type { DatabaseSync } from "node:sqlite";
import { AlreadyExists, FailedPrecondition, InvalidArgument, NotFound } from "@longshore/errdefs";
import { parsePlain } from "@longshore/go-json";
import { SqliteFile, type SqliteRow } from "@longshore/sqlite";
import type { Kind, SnapshotInfo, Usage } from "./contract.ts";

/** A snapshot with what only its snapshotter knows. */
export interface StoredSnapshot extends SnapshotInfo {
  /** Names its folder; never given twice. */
  id: number;
  usage: Usage;
}

type Row = SqliteRow;

const schema = `
  CREATE TABLE IF NOT EXISTS snapshots (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    parent INTEGER REFERENCES snapshots (id),
    kind TEXT NOT NULL CHECK (kind IN ('active', 'view', 'committed')),
    labels TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    size INTEGER NOT NULL DEFAULT 0,
    inodes INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX IF NOT EXISTS snapshots_parent ON snapshots (parent);
  PRAGMA user_version = 1;`;
const schemaVersion = 1;

const selection = "SELECT s.*, p.name AS parent_name FROM snapshots s LEFT JOIN snapshots p ON p.id = s.parent";

function stored(row: Row): StoredSnapshot {
  return {
    id: Number(row["id"]),
    name: String(row["name"]),
    parent: String(row["parent_name"] ?? ""),
    kind: row["kind"] as Kind,
    labels: parsePlain(String(row["labels"])) as Record<string, string>,
    createdAt: new Date(Number(row["created_at"])),
    updatedAt: new Date(Number(row["updated_at"])),
    usage: { size: Number(row["size"]), inodes: Number(row["inodes"]) },
  };
}

function isReadable({ labels, created_at: created, updated_at: updated, size, inodes }: Row): boolean {
  if ([size, inodes].some((value) => typeof value !== "number")) return false;
  if ([created, updated].some((value) => typeof value !== "number" || Number.isNaN(new Date(value).getTime())))
    return false;
  try {
    const parsed = parsePlain(String(labels)) as unknown;
    return (
      typeof parsed === "object" && parsed !== null && Object.values(parsed).every((value) => typeof value === "string")
    );
  } catch {
    return false;
  }
}

/** What a snapshotter knows of its snapshots: one SQLite file. A power cut may take back transactions since the last `flushed`, the latest first. */
export class SnapshotMetadata {
  readonly #file: SqliteFile;

  /** @throws FailedPrecondition when a newer release wrote the file; SQLite's error when it is damaged */
  constructor(path: string) {
    this.#file = SqliteFile.open(path, { grouped: true });
    try {
      this.#prepare(path);
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  get #sql(): DatabaseSync {
    return this.#file.sql;
  }

  #prepare(path: string): void {
    const problem = this.#get("PRAGMA quick_check(1)")?.["quick_check"];
    if (problem !== "ok") throw new Error(`database disk image is malformed: ${String(problem)}`);
    const version = Number(this.#get("PRAGMA user_version")?.["user_version"]);
    if (version > schemaVersion)
      throw new FailedPrecondition(
        `${path} has schema ${version}, this release knows ${schemaVersion}: failed precondition`,
      );
    if (version < schemaVersion) this.transaction(() => this.#sql.exec(schema));
  }

  /** Runs `work` in one transaction; an error undoes it. */
  transaction<T>(work: () => T): T {
    return this.#file.transaction(work);
  }

  /** As `transaction`, for what must work on a full disk too, such as removals; `work` may run more than once. */
  essential<T>(work: () => T): T {
    return this.#file.essential(work);
  }

  /** Resolves once all transactions up to now are on the disk. @throws the system's error */
  flushed(): Promise<void> {
    return this.#file.flushed();
  }

  /** @throws NotFound */
  get(name: string): StoredSnapshot {
    const row = this.#get(`${selection} WHERE s.name = ?`, name);
    if (row === undefined) throw new NotFound(`snapshot ${name}: not found`);
    return stored(row);
  }

  find(name: string): StoredSnapshot | undefined {
    return this.#exists(name) ? this.get(name) : undefined;
  }

  list(): StoredSnapshot[] {
    return this.#file.all(`${selection} ORDER BY s.name`).map(stored);
  }

  /**
   * Gives snapshots whose labels or times cannot be read none, and the beginning of time: the folders behind them, and
   * those of the snapshots on them, are whole.
   * @returns their names
   */
  repair(): string[] {
    const broken = this.#file
      .all("SELECT id, name, labels, created_at, updated_at, size, inodes FROM snapshots")
      .filter((row) => !isReadable(row));
    this.transaction(() => {
      for (const row of broken) {
        this.#file
          .statement(
            "UPDATE snapshots SET labels = '{}', created_at = 0, updated_at = 0, size = 0, inodes = 0 WHERE id = ?",
          )
          .run(row["id"] as number);
      }
    });
    return broken.map((row) => String(row["name"]));
  }

  ids(): Set<number> {
    return new Set(this.#file.all("SELECT id FROM snapshots").map((row) => Number(row["id"])));
  }

  /** Ids of the committed snapshots below it, the next one first. */
  parentIds(id: number): number[] {
    const rows = this.#file
      .statement(
        `WITH RECURSIVE chain (id, depth) AS (
           SELECT parent, 1 FROM snapshots WHERE id = ?
           UNION ALL SELECT s.parent, depth + 1 FROM snapshots s JOIN chain c ON s.id = c.id
         ) SELECT id FROM chain WHERE id IS NOT NULL ORDER BY depth`,
      )
      .all(id);
    return rows.map((row) => Number(row["id"]));
  }

  /** @throws AlreadyExists, NotFound, InvalidArgument */
  create(name: string, parent: string, kind: "active" | "view", labels: Record<string, string>): StoredSnapshot {
    let parentId: number | null = null;
    if (parent !== "") {
      const row = this.#get("SELECT id, kind FROM snapshots WHERE name = ?", parent);
      if (row === undefined)
        throw new NotFound(`failed to create snapshot: missing parent "${parent}" bucket: not found`);
      if (row["kind"] !== "committed")
        throw new InvalidArgument(
          `failed to create snapshot: parent "${parent}" is not committed snapshot: invalid argument`,
        );
      parentId = Number(row["id"]);
    }
    if (this.#exists(name)) throw new AlreadyExists(`failed to create snapshot: snapshot ${name}: already exists`);
    const now = Date.now();
    this.#file
      .statement("INSERT INTO snapshots (name, parent, kind, labels, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)")
      .run(name, parentId, kind, JSON.stringify(labels), now, now);
    return this.get(name);
  }

  /** @throws AlreadyExists, NotFound, FailedPrecondition */
  commit(name: string, key: string, usage: Usage, labels: Record<string, string>): void {
    if (this.#exists(name))
      throw new AlreadyExists(`failed to commit snapshot ${key}: committed snapshot ${name}: already exists`);
    const row = this.#get("SELECT kind FROM snapshots WHERE name = ?", key);
    if (row === undefined)
      throw new NotFound(`failed to commit snapshot ${key}: failed to get active snapshot "${key}": not found`);
    if (row["kind"] !== "active")
      throw new FailedPrecondition(
        `failed to commit snapshot ${key}: snapshot "${key}" is not active: failed precondition`,
      );
    const now = Date.now();
    this.#file
      .statement(
        "UPDATE snapshots SET name = ?, kind = 'committed', labels = ?, created_at = ?, updated_at = ?, size = ?, inodes = ? WHERE name = ?",
      )
      .run(name, JSON.stringify(labels), now, now, usage.size, usage.inodes, key);
  }

  /** @throws NotFound, FailedPrecondition */
  remove(name: string): StoredSnapshot {
    const row = this.#get(`${selection} WHERE s.name = ?`, name);
    if (row === undefined) throw new NotFound(`failed to remove snapshot ${name}: snapshot ${name}: not found`);
    const snapshot = stored(row);
    if (this.#get("SELECT 1 FROM snapshots WHERE parent = ? LIMIT 1", snapshot.id) !== undefined) {
      throw new FailedPrecondition(
        `failed to remove snapshot ${name}: cannot remove snapshot with child: failed precondition`,
      );
    }
    this.#file.statement("DELETE FROM snapshots WHERE id = ?").run(snapshot.id);
    return snapshot;
  }

  /**
   * Takes the name away from a snapshot that is lost, and from the committed ones on it, so that they
   * can be made anew. Their records stay for what else is on them.
   * @returns the names
   */
  giveUp(id: number): string[] {
    const rows = this.#file
      .statement(
        `WITH RECURSIVE lost (id) AS (
           SELECT ? UNION SELECT s.id FROM snapshots s JOIN lost l ON s.parent = l.id WHERE s.kind = 'committed'
         ) SELECT s.id, s.name FROM snapshots s JOIN lost USING (id) WHERE s.name NOT LIKE 'lost/%'`,
      )
      .all(id);
    this.transaction(() => {
      for (const row of rows)
        this.#file
          .statement("UPDATE snapshots SET name = 'lost/' || id || '/' || name WHERE id = ?")
          .run(row["id"] as number);
    });
    return rows.map((row) => String(row["name"]));
  }

  /** Brings a row of another such file over. @throws SQLite's error for one that does not fit */
  bringOver(row: Row): void {
    const columns = Object.keys(row);
    this.#sql.exec("PRAGMA foreign_keys = OFF");
    this.#file
      .statement(`INSERT INTO snapshots (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`)
      .run(...Object.values(row));
    this.#sql.exec("PRAGMA foreign_keys = ON");
  }

  /** The next id is above this one. */
  reserveIds(upTo: number): void {
    this.#sql.exec(
      "INSERT INTO sqlite_sequence (name, seq) SELECT 'snapshots', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'snapshots')",
    );
    this.#file.statement("UPDATE sqlite_sequence SET seq = MAX(seq, ?) WHERE name = 'snapshots'").run(upTo);
  }

  setLabels(name: string, labels: Record<string, string>): void {
    this.#file
      .statement("UPDATE snapshots SET labels = ?, updated_at = ? WHERE name = ?")
      .run(JSON.stringify(labels), Date.now(), name);
  }

  /** Changes the labels of a snapshot, if it is still there, without that counting as an update. */
  relabel(id: number, change: (labels: Record<string, string>) => Record<string, string>): void {
    const row = this.#get("SELECT labels FROM snapshots WHERE id = ?", id);
    if (row === undefined) return;
    const labels = change(parsePlain(String(row["labels"])) as Record<string, string>);
    this.#file.statement("UPDATE snapshots SET labels = ? WHERE id = ?").run(JSON.stringify(labels), id);
  }

  close(): void {
    this.#file.close();
  }

  #exists(name: string): boolean {
    return this.#get("SELECT 1 FROM snapshots WHERE name = ?", name) !== undefined;
  }

  #get(query: string, ...values: (string | number | null)[]): Row | undefined {
    return this.#file.get(query, ...values);
  }
}
