import { isKind, messageOf } from "@longshore/errdefs";
import { parsePlain } from "@longshore/go-json";
import type { Logger } from "@longshore/logger";
import type { Database, Row } from "./database.ts";
import type { recordTables } from "./schema.ts";

type Table = (typeof recordTables)[number];

/** What the record of a row is about. */
export function nameOf(row: Row): unknown {
  return row["id"] ?? row["name"] ?? row["key"] ?? row["digest"];
}

/** The columns that tell a table's records apart, with the values of one. */
function keysOf(table: Table, row: Row): [column: string, value: string][] {
  return ["namespace", "snapshotter", "id", "name", "key", "digest"]
    .filter((column) => column in row && !(column === "digest" && table === "images"))
    .map((column) => [column, String(row[column])]);
}

function asJson(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString("base64") };
  return typeof value === "bigint" ? value.toString() : value;
}

/** Moves a row that cannot be read to the table `damaged`, and says so. */
export function setAside(
  { database, logger }: { database: Database; logger: Logger },
  table: Table,
  row: Row,
  error: unknown,
): void {
  const keys = keysOf(table, row);
  const problem = messageOf(error);
  logger.error(
    { table, namespace: row["namespace"], record: nameOf(row), error: problem },
    "record cannot be read: set aside",
  );
  database.essential(() => {
    database.run(
      "INSERT INTO damaged (source, record, problem, found_at) VALUES (?, ?, ?, ?)",
      table,
      JSON.stringify(row, asJson),
      problem,
      Date.now(),
    );
    database.run(`DELETE FROM ${table} WHERE ${conditionOf(keys)}`, ...keys.map(([, value]) => value));
  });
}

function conditionOf(keys: readonly [column: string, value: string][]): string {
  return keys.map(([column]) => `${column} = ?`).join(" AND ");
}

/** A record that was set aside, as the table has it. */
interface SetAside {
  rowid: number;
  source: Table;
  problem: string;
  row: Row;
}

/** All that is set aside. */
export function allSetAside(database: Database): SetAside[] {
  return database.all("SELECT rowid, source, problem, record FROM damaged").map((row) => ({
    rowid: Number(row["rowid"]),
    source: String(row["source"]) as Table,
    problem: String(row["problem"]),
    row: parsePlain(String(row["record"])) as Row,
  }));
}

function drop(database: Database, gone: readonly SetAside[]): void {
  database.essential(() => {
    for (const { rowid } of gone) database.run("DELETE FROM damaged WHERE rowid = ?", rowid);
  });
}

/**
 * Forgets what was set aside of a record that somebody deletes: what it kept need not be kept any more.
 * @param keys the columns that tell the record, such as its namespace and name
 * @returns whether there was anything
 */
export function forgetSetAside(database: Database, table: Table, keys: Record<string, string>): boolean {
  const gone = allSetAside(database).filter(
    ({ source, row }) => source === table && Object.entries(keys).every(([column, value]) => row[column] === value),
  );
  if (gone.length > 0) drop(database, gone);
  return gone.length > 0;
}

/** Forgets what was set aside of records that have been made anew since: these say what is kept now. */
export function forgetReplaced(database: Database): void {
  const replaced = allSetAside(database).filter(({ source, row }) => {
    const keys = keysOf(source, row);
    const query = `SELECT 1 FROM ${source} WHERE ${conditionOf(keys)}`;
    return database.get(query, ...keys.map(([, value]) => value)) !== undefined;
  });
  if (replaced.length > 0) drop(database, replaced);
}

/** The records of rows, in their order. One that cannot be read is set aside, so that it does not hide the others. */
export function* readRows<T>(
  store: { database: Database; logger: Logger },
  table: Table,
  rows: Iterable<Row>,
  read: (row: Row) => T,
): Generator<T> {
  for (const row of rows) {
    let record: T;
    try {
      record = read(row);
    } catch (error) {
      if (!isKind(error, "DataLoss")) throw error;
      setAside(store, table, row, error);
      continue;
    }
    yield record;
  }
}
