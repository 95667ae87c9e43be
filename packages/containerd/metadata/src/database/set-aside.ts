import { isKind, messageOf } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";
import type { Database, Row } from "./database.ts";
import type { recordTables } from "./schema.ts";

type Table = (typeof recordTables)[number];

/** What the record of a row is about. */
export function nameOf(row: Row): unknown {
  return row["id"] ?? row["name"] ?? row["key"] ?? row["digest"];
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
  const keys = ["namespace", "snapshotter", "id", "name", "key", "digest"].filter(
    (column) => column in row && !(column === "digest" && table === "images"),
  );
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
    database.run(
      `DELETE FROM ${table} WHERE ${keys.map((column) => `${column} = ?`).join(" AND ")}`,
      ...keys.map((column) => row[column] ?? null),
    );
  });
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
