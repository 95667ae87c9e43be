import { closeSync, fsyncSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { isDiskFull, Reserve } from "@longshore/atomicfile";
import { GroupSync } from "./group-sync.ts";

/** Enough for the pages of several hundred removals. */
const reserveBytes = 1 << 20;

/** SQLite's primary result codes for a disk that is full: at a write, or at the making of a file beside the database. */
const codes = { full: 13, ioError: 10, cantOpen: 14 };

function codeOf(error: unknown): number {
  return (((error as { errcode?: number } | null)?.errcode ?? 0) & 0xff) >>> 0;
}

export type SqliteRow = Record<string, SQLOutputValue>;

/** Bigints that a number can hold become one. */
function narrow(row: SqliteRow): void {
  for (const [column, value] of Object.entries(row)) {
    if (typeof value === "bigint" && Number.isSafeInteger(Number(value))) row[column] = Number(value);
  }
}

export interface SqliteFileOptions {
  /**
   * Transactions return before they are on the disk: who needs that waits for `flushed`, together with others. A
   * power cut may take back those since, never one without all that came after it: they lie in one log.
   */
  grouped?: boolean;
}

/**
 * A database that this process alone uses: the lock is kept, so that no shared memory file is needed,
 * which a full disk could not take. Beside it lies `<path>.reserve`, the space in which things can still be
 * removed from it then.
 */
export class SqliteFile {
  readonly sql: DatabaseSync;
  readonly #path: string;
  readonly #reserve: Reserve;
  readonly #log: GroupSync | undefined;
  readonly #statements = new Map<string, StatementSync>();

  private constructor(path: string, reserve: Reserve, grouped: boolean) {
    this.#path = path;
    this.#reserve = reserve;
    this.sql = new DatabaseSync(path, { timeout: 10_000 });
    try {
      this.sql.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;");
      this.sql.exec(`PRAGMA synchronous = ${grouped ? "NORMAL" : "FULL"};`);
      this.#log = grouped ? this.#openLog() : undefined;
    } catch (error) {
      this.sql.close();
      throw error;
    }
  }

  /** Opens or makes the file. @throws SQLite's own error when it is damaged */
  static open(path: string, { grouped = false }: SqliteFileOptions = {}): SqliteFile {
    const reserve = new Reserve(`${path}.reserve`, reserveBytes);
    reserve.fill();
    for (;;) {
      try {
        return new SqliteFile(path, reserve, grouped);
      } catch (error) {
        if (!Object.values(codes).includes(codeOf(error)) || !reserve.release()) throw explained(error, path);
      }
    }
  }

  /** A compiled query. Each is kept, since compiling takes longer than most run: values go in as parameters. */
  statement(query: string): StatementSync {
    const known = this.#statements.get(query);
    if (known) return known;
    const statement = this.sql.prepare(query);
    this.#statements.set(query, statement);
    return statement;
  }

  /** The first row of a query. An integer that a number cannot hold is a bigint, for the reader of the row to judge. */
  get(query: string, ...values: SQLInputValue[]): SqliteRow | undefined {
    return this.#read(query, (statement) => statement.get(...values));
  }

  /** All rows of a query; as `get`. */
  all(query: string, ...values: SQLInputValue[]): SqliteRow[] {
    return this.#read(query, (statement) => statement.all(...values)) ?? [];
  }

  /** One number that is too large must not make all other rows of a list unreadable. */
  #read<T extends SqliteRow | SqliteRow[] | undefined>(query: string, read: (statement: StatementSync) => T): T {
    const statement = this.statement(query);
    try {
      return read(statement);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ERR_OUT_OF_RANGE") throw error;
    }
    statement.setReadBigInts(true);
    try {
      const result = read(statement);
      for (const row of Array.isArray(result) ? result : [result ?? {}]) narrow(row);
      return result;
    } finally {
      statement.setReadBigInts(false);
    }
  }

  /** Runs `work` in one transaction; an error undoes all of it. */
  transaction<T>(work: () => T): T {
    try {
      this.sql.exec("BEGIN IMMEDIATE");
      const result = work();
      this.sql.exec("COMMIT");
      this.#log?.written();
      return result;
    } catch (error) {
      // SQLite itself undoes a transaction after some errors (a full disk).
      if (this.sql.isTransaction) this.sql.exec("ROLLBACK");
      throw explained(error, this.#path);
    }
  }

  /**
   * As `transaction`, for what must work on a full disk too, such as removals: then the log is brought into the
   * database, and if that gives no room, the reserve is used. `work` may run more than once.
   */
  essential<T>(work: () => T): T {
    let tries = 0;
    try {
      for (;;) {
        try {
          return this.transaction(work);
        } catch (error) {
          if (!isDiskFull(error) || (tries > 0 && !this.#reserve.release())) throw error;
          this.#restartLog();
          tries++;
        }
      }
    } finally {
      if (tries > 1) this.#reserve.fill();
    }
  }

  /** Brings the log into the database, to be written from its beginning again. */
  #restartLog(): void {
    try {
      this.sql.exec("PRAGMA wal_checkpoint(RESTART)");
    } catch (error) {
      // Not even that has room: the log stays as it is.
      if (codeOf(error) !== codes.full) throw error;
    }
  }

  /** Resolves once all transactions up to now are on the disk, as they are within a second if nobody waits. @throws the system's error */
  async flushed(): Promise<void> {
    await this.#log?.synced();
  }

  close(): void {
    this.#reserve.close();
    this.#statements.clear();
    this.sql.close();
    this.#log?.close();
  }

  /** SQLite makes its log when it first reads, and keeps that one file until the database is closed. */
  #openLog(): GroupSync {
    this.sql.prepare("PRAGMA user_version").get();
    const fd = openSync(`${this.#path}-wal`, "r");
    const dir = openSync(dirname(this.#path), "r");
    try {
      fsyncSync(dir);
    } finally {
      closeSync(dir);
    }
    return new GroupSync(fd);
  }
}

/** SQLite's words for a full disk do not say which. */
function explained(error: unknown, path: string): unknown {
  if (codeOf(error) !== codes.full) return error;
  return Object.assign(new Error(`write ${path}: no space left on device`, { cause: error }), { code: "ENOSPC" });
}
