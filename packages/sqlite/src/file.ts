import { DatabaseSync } from "node:sqlite";
import { isDiskFull, Reserve } from "@longshore/atomicfile";

/** Enough for the pages of several hundred removals. */
const reserveBytes = 1 << 20;

/** SQLite's primary result codes for a disk that is full: at a write, or at the making of a file beside the database. */
const codes = { full: 13, ioError: 10, cantOpen: 14 };

function codeOf(error: unknown): number {
  return (((error as { errcode?: number } | null)?.errcode ?? 0) & 0xff) >>> 0;
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

  private constructor(path: string, reserve: Reserve) {
    this.#path = path;
    this.#reserve = reserve;
    this.sql = new DatabaseSync(path, { timeout: 10_000 });
    try {
      this.sql.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
    } catch (error) {
      this.sql.close();
      throw error;
    }
  }

  /** Opens or makes the file. @throws SQLite's own error when it is damaged */
  static open(path: string): SqliteFile {
    const reserve = new Reserve(`${path}.reserve`, reserveBytes);
    reserve.fill();
    for (;;) {
      try {
        return new SqliteFile(path, reserve);
      } catch (error) {
        if (!Object.values(codes).includes(codeOf(error)) || !reserve.release()) throw explained(error, path);
      }
    }
  }

  /** Runs `work` in one transaction; an error undoes all of it. */
  transaction<T>(work: () => T): T {
    try {
      this.sql.exec("BEGIN IMMEDIATE");
      const result = work();
      this.sql.exec("COMMIT");
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

  close(): void {
    this.#reserve.close();
    this.sql.close();
  }
}

/** SQLite's words for a full disk do not say which. */
function explained(error: unknown, path: string): unknown {
  if (codeOf(error) !== codes.full) return error;
  return Object.assign(new Error(`write ${path}: no space left on device`, { cause: error }), { code: "ENOSPC" });
}
