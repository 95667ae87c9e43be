import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DataLoss, messageOf } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";
import { parseRecord, type Reader } from "@longshore/records";
import { SqliteFile, databasesSetAside, isDamaged, setDatabaseAside } from "@longshore/sqlite";
import { releaseRecord, endpointRecord, networkRecord, sandboxRecord } from "./record-readers.ts";
import type { PluginRelease, EndpointRecord, NetworkRecord, SandboxRecord } from "./record-types.ts";

export type * from "./record-types.ts";

const schema = `
  CREATE TABLE IF NOT EXISTS networks (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS endpoints (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS sandboxes (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS debts (id INTEGER PRIMARY KEY, record TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS damaged (source TEXT NOT NULL, id TEXT NOT NULL, record TEXT NOT NULL, problem TEXT NOT NULL) STRICT;
`;

/** `debts` are the releases, under the name that they have on disk. */
type Table = "networks" | "endpoints" | "sandboxes" | "debts";

function open(path: string): SqliteFile {
  const file = SqliteFile.open(path);
  try {
    // Networks are synced with each commit. Endpoints and sandboxes are not: a kill loses nothing of
    // them, and a power cut only what died with it anyway.
    file.sql.exec(`${schema} PRAGMA synchronous = NORMAL;`);
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Keeps networks, endpoints and sandboxes in `<dir>/local.db`, and all of them in memory. */
export class Records {
  readonly networks = new Map<string, NetworkRecord>();
  readonly endpoints = new Map<string, EndpointRecord>();
  /** By container id. */
  readonly sandboxes = new Map<string, SandboxRecord>();
  readonly releases = new Map<number, PluginRelease>();
  readonly #file: SqliteFile;
  /** Takes back what the transaction that runs did to the maps. */
  #undo: (() => void)[] | undefined;

  readonly #path: string;

  /** A file that is damaged is set aside as `local.db.damaged-<time>`, a record that is to the table `damaged`; both are reported. */
  constructor(dir: string, log: Logger) {
    mkdirSync(dir, { recursive: true, mode: 0o750 });
    const path = join(dir, "local.db");
    this.#path = path;
    try {
      this.#file = open(path);
      this.#load(log);
    } catch (error) {
      if (!isDamaged(error)) throw error;
      const aside = setDatabaseAside(path);
      log.error({ err: error, path, aside }, "network records cannot be read and are set aside");
      this.#file = open(path);
    }
  }

  #load(log: Logger): void {
    const read = <T>(
      table: Table,
      reader: Reader<T>,
      keyOf: (record: T) => string | number,
      take: (record: T) => void,
    ) => {
      for (const row of this.#file.sql.prepare(`SELECT id, record FROM ${table}`).all()) {
        try {
          const record = parseRecord(String(row["record"]), reader);
          if (String(keyOf(record)) !== String(row["id"])) throw new DataLoss(`the record is of ${keyOf(record)}`);
          take(record);
        } catch (error) {
          const id = String(row["id"]);
          log.error({ err: error, table, id }, "a network record cannot be read: set aside");
          this.atomically(() => {
            this.#file.sql
              .prepare("INSERT INTO damaged (source, id, record, problem) VALUES (?, ?, ?, ?)")
              .run(table, id, String(row["record"]), messageOf(error));
            this.#drop(table, id);
          });
        }
      }
    };
    read(
      "networks",
      networkRecord,
      ({ id }) => id,
      (record) => this.networks.set(record.id, record),
    );
    read(
      "endpoints",
      endpointRecord,
      ({ id }) => id,
      (record) => this.endpoints.set(record.id, record),
    );
    read(
      "sandboxes",
      sandboxRecord,
      ({ containerId }) => containerId,
      (record) => this.sandboxes.set(record.containerId, record),
    );
    read(
      "debts",
      releaseRecord,
      ({ id }) => id,
      (record) => this.releases.set(record.id, record),
    );
  }

  /** What was set aside, in words. */
  damage(): string[] {
    return [
      ...databasesSetAside(this.#path).map((aside) => `the database of networks was damaged and set aside as ${aside}`),
      ...this.#file.sql
        .prepare("SELECT source, id, problem FROM damaged")
        .all()
        .map(
          ({ source, id, problem }) =>
            `a record of ${String(source)} (${String(id)}) cannot be read and was set aside: ${String(problem)}`,
        ),
    ];
  }

  #put(table: Table, id: string | number, record: unknown): void {
    this.#file.sql
      .prepare(
        `INSERT INTO ${table} (id, record) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record`,
      )
      .run(id, JSON.stringify(record));
  }

  #drop(table: Table, id: string | number): void {
    this.#file.sql.prepare(`DELETE FROM ${table} WHERE id = ?`).run(id);
  }

  /** Runs `change` as one transaction, on a full disk too: containers end there. An error undoes all of it. */
  atomically(change: () => void): void {
    if (this.#undo !== undefined) return change();
    const undo: (() => void)[] = [];
    const back = (): void => {
      for (const step of undo.splice(0).reverse()) step();
    };
    this.#undo = undo;
    try {
      this.#file.essential(() => {
        back();
        change();
      });
    } catch (error) {
      back();
      throw error;
    } finally {
      this.#undo = undefined;
    }
  }

  /** Runs `change` so that it is on disk when it returns. */
  #durably(change: () => void): void {
    this.#file.sql.exec("PRAGMA synchronous = FULL");
    try {
      change();
    } finally {
      this.#file.sql.exec("PRAGMA synchronous = NORMAL");
    }
  }

  putNetwork(record: NetworkRecord): void {
    this.#durably(() => this.#file.transaction(() => this.#put("networks", record.id, record)));
    this.networks.set(record.id, record);
  }

  dropNetwork(id: string): void {
    this.#durably(() => this.#file.essential(() => this.#drop("networks", id)));
    this.networks.delete(id);
  }

  putEndpoint(record: EndpointRecord): void {
    this.atomically(() => {
      this.#put("endpoints", record.id, record);
      this.#set(this.endpoints, record.id, record);
    });
  }

  dropEndpoint(id: string): void {
    this.atomically(() => {
      this.#drop("endpoints", id);
      this.#set(this.endpoints, id, undefined);
    });
  }

  putSandbox(record: SandboxRecord): void {
    this.atomically(() => {
      this.#put("sandboxes", record.containerId, record);
      this.#set(this.sandboxes, record.containerId, record);
    });
  }

  dropSandbox(containerId: string): void {
    this.atomically(() => {
      this.#drop("sandboxes", containerId);
      this.#set(this.sandboxes, containerId, undefined);
    });
  }

  putRelease(release: Omit<PluginRelease, "id">): void {
    const record: PluginRelease = { ...release, id: Math.max(0, ...this.releases.keys()) + 1 };
    this.atomically(() => {
      this.#put("debts", record.id, record);
      this.#set(this.releases, record.id, record);
    });
  }

  dropRelease(id: number): void {
    this.atomically(() => {
      this.#drop("debts", id);
      this.#set(this.releases, id, undefined);
    });
  }

  /** Changes one of the maps so that it can be taken back. */
  #set<K, T>(map: Map<K, T>, key: K, value: T | undefined): void {
    const before = map.get(key);
    const write = (to: T | undefined): unknown => (to === undefined ? map.delete(key) : map.set(key, to));
    write(value);
    this.#undo?.push(() => write(before));
  }

  endpointsOf(containerId: string): EndpointRecord[] {
    return [...this.endpoints.values()].filter((endpoint) => endpoint.containerId === containerId);
  }

  endpointsIn(networkId: string): EndpointRecord[] {
    return [...this.endpoints.values()].filter((endpoint) => endpoint.networkId === networkId);
  }

  close(): void {
    this.#file.close();
  }
}
