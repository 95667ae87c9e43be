import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { messageOf } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";
import { databasesSetAside, isDamaged, setDatabaseAside } from "@longshore/sqlite";
import { labels } from "../records/columns.ts";
import { containerOf } from "../records/containers.ts";
import { blobOf } from "../content/content.ts";
import { Database, type Row } from "./database.ts";
import { imageOf } from "../records/images.ts";
import { leaseOf } from "../records/leases.ts";
import { sandboxOf } from "../records/sandboxes.ts";
import { recordTables } from "./schema.ts";
import { allSetAside, forgetReplaced, nameOf, setAside } from "./set-aside.ts";
import { snapshotOf } from "../snapshots/snapshot-table.ts";

const readers: Partial<Record<(typeof recordTables)[number], (row: Row) => unknown>> = {
  namespaces: (row) => labels(row),
  containers: containerOf,
  sandboxes: sandboxOf,
  images: imageOf,
  blobs: blobOf,
  snapshots: snapshotOf,
  leases: leaseOf,
};

/**
 * Opens the database whatever its state. A file that SQLite cannot use is renamed to
 * `<path>.damaged-<time>` and its readable records are brought over; a record that cannot be read
 * moves to the table `damaged`. All of it is reported.
 */
export function openSalvaging(path: string, logger: Logger): Database {
  const database = openOrReplace(path, logger);
  setDamagedAside(database, logger);
  return database;
}

/**
 * What was set aside, in words; as long as there is anything, what it kept is unknown. A record is forgotten when it is
 * deleted, or one of its name is made anew.
 */
export function damageOf(database: Database, path: string): string[] {
  forgetReplaced(database);
  return [
    ...databasesSetAside(path).map((aside) => `the metadata database was damaged and set aside as ${aside}`),
    ...allSetAside(database).map(
      ({ source, row, problem }) =>
        `a record of ${source} (${String(nameOf(row))}) cannot be read and was set aside: ${problem}; nothing is collected until it is deleted or made anew`,
    ),
  ];
}

function openOrReplace(path: string, logger: Logger): Database {
  try {
    return Database.open(path);
  } catch (error) {
    if (!isDamaged(error)) throw error;
    const aside = setDatabaseAside(path);
    logger.error({ path, aside, error: messageOf(error) }, "metadata database is damaged: set aside");
    const database = Database.open(path);
    bringOver(aside, database, logger);
    return database;
  }
}

/** Copies what can be read, row by row. Leases go before their resources. */
function bringOver(aside: string, into: Database, logger: Logger): void {
  const source = new DatabaseSync(join(aside), { readOnly: true });
  try {
    for (const table of [...recordTables, "sequence"]) {
      let copied = 0;
      try {
        for (const row of source.prepare(`SELECT * FROM ${table}`).iterate()) {
          const columns = Object.keys(row);
          const marks = columns.map(() => "?").join(", ");
          into.run(`INSERT OR REPLACE INTO ${table} (${columns.join(", ")}) VALUES (${marks})`, ...Object.values(row));
          copied++;
        }
      } catch (error) {
        logger.error(
          { table, copied, error: messageOf(error) },
          "not all records of the damaged database could be brought over",
        );
      }
    }
    // Numbers must stay new whatever was read.
    into.run("UPDATE sequence SET value = (SELECT MAX(value) FROM sequence) + 1000000");
    into.run("DELETE FROM sequence WHERE rowid > (SELECT MIN(rowid) FROM sequence)");
  } finally {
    source.close();
  }
}

function setDamagedAside(database: Database, logger: Logger): void {
  for (const table of recordTables) {
    const read = readers[table];
    if (read === undefined) continue;
    for (const row of database.all(`SELECT * FROM ${table}`)) {
      try {
        read(row);
      } catch (error) {
        setAside({ database, logger }, table, row, error);
      }
    }
  }
}
