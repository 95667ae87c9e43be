import type { SQLInputValue } from "node:sqlite";
import { FailedPrecondition } from "@longshore/errdefs";
import { SqliteFile, type SqliteRow } from "@longshore/sqlite";
import { migrations } from "./schema.ts";

export type Row = SqliteRow;

/** More numbers than are given out before the disk knows of them: what a power cut takes back is not given again. */
const sequenceGap = 1_000_000;
/** So many numbers are taken from the disk at once. */
const sequenceBlock = 64;

/**
 * The SQLite file. A transaction survives the process at once; a power cut may take back those since the last
 * `flushed`, the latest first.
 */
export class Database {
  readonly #file: SqliteFile;
  #inTransaction = false;
  /** The last number that was given out, and the last of the block that was taken for it. */
  #given = 0;
  #reserved = 0;

  private constructor(file: SqliteFile) {
    this.#file = file;
  }

  /**
   * Opens or makes the database and brings its schema up to date.
   * @throws FailedPrecondition when a newer release has written it; SQLite's own error when it is damaged
   */
  static open(path: string): Database {
    const file = SqliteFile.open(path, { grouped: true });
    try {
      const problem = file.sql.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
      if (problem !== "ok") throw new Error(`database disk image is malformed: ${String(problem)}`);
      const database = new Database(file);
      database.#migrate(path);
      // A daemon starts on a full disk, too.
      database.essential(() => database.run("UPDATE sequence SET value = value + ?", sequenceGap));
      return database;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  #migrate(path: string): void {
    const version = Number(this.get("PRAGMA user_version")?.["user_version"]);
    if (version > migrations.length)
      throw new FailedPrecondition(
        `${path} has schema ${version}, this release knows ${migrations.length}: failed precondition`,
      );
    for (const [index, step] of migrations.entries()) {
      if (index < version) continue;
      this.transaction(() => this.#file.sql.exec(`${step}; PRAGMA user_version = ${index + 1};`));
    }
  }

  /** Runs `work` in one transaction, or in the one that runs already; an error undoes it all. */
  transaction<T>(work: () => T): T {
    return this.#run(work, (once) => this.#file.transaction(once));
  }

  /** As `transaction`, for what must work on a full disk too, such as removals; `work` may run more than once. */
  essential<T>(work: () => T): T {
    return this.#run(work, (once) => this.#file.essential(once));
  }

  #run<T>(work: () => T, transact: (work: () => T) => T): T {
    if (this.#inTransaction) return work();
    this.#inTransaction = true;
    try {
      return transact(work);
    } catch (error) {
      // The block may have been taken in what is undone now.
      this.#given = this.#reserved;
      throw error;
    } finally {
      this.#inTransaction = false;
    }
  }

  get(query: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#file.get(query, ...values);
  }

  all(query: string, ...values: SQLInputValue[]): Row[] {
    return this.#file.all(query, ...values);
  }

  /** @returns how many rows changed */
  run(query: string, ...values: SQLInputValue[]): number {
    return this.transaction(() => Number(this.#file.statement(query).run(...values).changes));
  }

  /** Resolves once all transactions up to now are on the disk, as they are within a second if nobody waits. @throws the system's error */
  flushed(): Promise<void> {
    return this.#file.flushed();
  }

  /** A number that was never given before, nor will be after a crash: each start leaves a gap. */
  next(): number {
    if (this.#given === this.#reserved) {
      this.#reserved = this.transaction(() =>
        Number(this.get("UPDATE sequence SET value = value + ? RETURNING value", sequenceBlock)?.["value"]),
      );
      this.#given = this.#reserved - sequenceBlock;
    }
    return ++this.#given;
  }

  close(): void {
    this.#file.close();
  }
}
