import { filesSetAside, setAside } from "@longshore/atomicfile";

/** The write-ahead log goes before the database: a log without one would be taken for that of a new one. */
const companions = ["-wal", "-shm"];

/** Whether an error tells that a file is no database, or not a whole one. A disk that is full or fails is no reason to begin anew. */
export function isDamaged(error: unknown): boolean {
  return /malformed|not a database|disk image/.test(error instanceof Error ? error.message : String(error));
}

/** Renames a damaged database to `<path>.damaged-<time>`. @returns its new path @throws ENOENT when there is none */
export function setDatabaseAside(path: string): string {
  return setAside(path, companions);
}

/** The databases that were set aside in place of `path`, of earlier starts too. */
export function databasesSetAside(path: string): string[] {
  return filesSetAside(path, companions);
}
