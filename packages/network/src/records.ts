import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { EndpointSettings, IPAM, PortMap } from "@longshore/api";
import type { Logger } from "@longshore/log";
import type { SubnetRecord } from "./ipam/subnet.ts";

/** A network as it is kept. Subnets are CIDR text, addresses plain text. */
export interface NetworkRecord {
  id: string;
  name: string;
  created: string;
  driver: string;
  scope: string;
  enableIPv4: boolean;
  enableIPv6: boolean;
  /** As inspect shows it. */
  ipam: IPAM;
  internal: boolean;
  attachable: boolean;
  ingress: boolean;
  configOnly: boolean;
  configFrom: string;
  options: Record<string, string>;
  labels: Record<string, string>;
  /** What addresses come from; empty for host, none and configuration networks. */
  subnets: SubnetRecord[];
  /** The blocks that were asked for, not chosen. */
  userSubnets: string[];
  /** The bridge device; empty when the driver has none. */
  bridge: string;
  /** Whether the device goes with the network: false for one that the administrator made. */
  ownsBridge: boolean;
  /** Addresses (CIDR) that a bridge of the administrator did not have before. */
  ownAddresses: string[];
}

/** One address and port of the host that leads to a container. */
export interface PublishedPort {
  proto: "tcp" | "udp" | "sctp";
  hostIp: string;
  hostPort: number;
  containerIp: string;
  containerPort: number;
}

/** A container's place in a network, while it runs. */
export interface EndpointRecord {
  id: string;
  networkId: string;
  containerId: string;
  /** Name in the container (`eth0`); empty without a link. */
  ifname: string;
  /** Name of the host's side of the pair. */
  veth: string;
  mac: string;
  ipv4: string;
  ipv6: string;
  /** What was asked for. */
  settings: Partial<EndpointSettings>;
}

/** A container's network namespace and all that was asked of it. */
export interface SandboxRecord {
  id: string;
  containerId: string;
  containerName: string;
  /** `host` has no namespace of its own. */
  mode: "private" | "host";
  netnsPath: string;
  hostname: string;
  domainname: string;
  containerDir: string;
  portRequest: { bindings: PortMap; exposed: string[]; publishAll: boolean };
  /** `NetworkSettings.Ports`. */
  ports: PortMap;
  published: PublishedPort[];
  /** What the embedded DNS asks; null for a container without it. */
  dns: { servers: string[]; onHost: boolean } | null;
}

const schema = `
  CREATE TABLE IF NOT EXISTS networks (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS endpoints (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS sandboxes (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
`;

type Table = "networks" | "endpoints" | "sandboxes";

function open(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  try {
    // Networks are synced with each commit. Endpoints and sandboxes are not: a kill loses nothing of
    // them, and a power cut only what died with it anyway.
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; ${schema} PRAGMA synchronous = NORMAL;`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Keeps networks, endpoints and sandboxes in `<dir>/local.db`, and all of them in memory. */
export class Records {
  readonly networks = new Map<string, NetworkRecord>();
  readonly endpoints = new Map<string, EndpointRecord>();
  /** By container id. */
  readonly sandboxes = new Map<string, SandboxRecord>();
  readonly #db: DatabaseSync;

  /** A file that cannot be read is set aside as `local.db.broken-<time>` and reported. */
  constructor(dir: string, log: Logger) {
    mkdirSync(dir, { recursive: true, mode: 0o750 });
    const path = join(dir, "local.db");
    try {
      this.#db = open(path);
      this.#load(log);
    } catch (error) {
      const aside = `${path}.broken-${Date.now()}`;
      log.error({ err: error, path, aside }, "network records cannot be read and are set aside");
      renameSync(path, aside);
      for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
      this.#db = open(path);
    }
  }

  #load(log: Logger): void {
    const read = <T>(table: Table, take: (record: T) => void) => {
      for (const row of this.#db.prepare(`SELECT id, record FROM ${table}`).all()) {
        try {
          take(JSON.parse(String(row["record"])) as T);
        } catch (error) {
          log.error({ err: error, table, id: row["id"] }, "a network record cannot be read and is left out");
        }
      }
    };
    read<NetworkRecord>("networks", (record) => this.networks.set(record.id, record));
    read<EndpointRecord>("endpoints", (record) => this.endpoints.set(record.id, record));
    read<SandboxRecord>("sandboxes", (record) => this.sandboxes.set(record.containerId, record));
  }

  #put(table: Table, id: string, record: unknown): void {
    this.#db.prepare(`INSERT INTO ${table} (id, record) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record`).run(id, JSON.stringify(record));
  }

  #drop(table: Table, id: string): void {
    this.#db.prepare(`DELETE FROM ${table} WHERE id = ?`).run(id);
  }

  /** Runs `change` as one transaction. */
  atomically(change: () => void): void {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      change();
      this.#db.exec("COMMIT");
    } catch (error) {
      this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  /** Runs `change` so that it is on disk when it returns. */
  #durably(change: () => void): void {
    this.#db.exec("PRAGMA synchronous = FULL");
    try {
      change();
    } finally {
      this.#db.exec("PRAGMA synchronous = NORMAL");
    }
  }

  putNetwork(record: NetworkRecord): void {
    this.#durably(() => this.#put("networks", record.id, record));
    this.networks.set(record.id, record);
  }

  dropNetwork(id: string): void {
    this.#durably(() => this.#drop("networks", id));
    this.networks.delete(id);
  }

  putEndpoint(record: EndpointRecord): void {
    this.#put("endpoints", record.id, record);
    this.endpoints.set(record.id, record);
  }

  dropEndpoint(id: string): void {
    this.#drop("endpoints", id);
    this.endpoints.delete(id);
  }

  putSandbox(record: SandboxRecord): void {
    this.#put("sandboxes", record.containerId, record);
    this.sandboxes.set(record.containerId, record);
  }

  dropSandbox(containerId: string): void {
    this.#drop("sandboxes", containerId);
    this.sandboxes.delete(containerId);
  }

  endpointsOf(containerId: string): EndpointRecord[] {
    return [...this.endpoints.values()].filter((endpoint) => endpoint.containerId === containerId);
  }

  endpointsIn(networkId: string): EndpointRecord[] {
    return [...this.endpoints.values()].filter((endpoint) => endpoint.networkId === networkId);
  }

  close(): void {
    this.#db.close();
  }
}
