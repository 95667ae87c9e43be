import { randomBytes } from "node:crypto";
import { digestProblem } from "@longshore/content";
import { AlreadyExists, InvalidArgument, NotFound, NotImplemented } from "@longshore/errdefs";
import { date, labels as labelsOf, text } from "./columns.ts";
import type { Labels, Lease, LeaseResource, LeaseStore } from "../contract.ts";
import type { Database, Row } from "../database/database.ts";
import { type Environment, ensureNamespace } from "../environment.ts";
import { labeledAdaptor, recordFilters } from "./filters.ts";
import { forgetSetAside, readRows } from "../database/set-aside.ts";

/** @throws DataLoss when the record cannot be read */
export function leaseOf(row: Row): Lease {
  return { id: text(row, "id"), labels: labelsOf(row), createdAt: date(row, "created_at") };
}

/** @throws NotFound when the scope names a lease that does not exist */
export function checkLease(database: Database, namespace: string, lease: string | undefined): void {
  if (
    lease === undefined ||
    database.get("SELECT 1 FROM leases WHERE namespace = ? AND id = ?", namespace, lease) !== undefined
  )
    return;
  throw new NotFound("lease does not exist: not found");
}

/** Lets the scope's lease keep what is being made. Part of the caller's transaction. @throws NotFound without that lease */
export function addToLease(
  database: Database,
  namespace: string,
  lease: string | undefined,
  { type, id }: LeaseResource,
): void {
  if (lease === undefined) return;
  checkLease(database, namespace, lease);
  database.run(
    "INSERT OR IGNORE INTO lease_resources (namespace, lease, type, id) VALUES (?, ?, ?, ?)",
    namespace,
    lease,
    type,
    id,
  );
}

export class Leases implements LeaseStore {
  readonly #env: Environment;
  readonly #namespace: string;

  constructor(env: Environment, namespace: string) {
    this.#env = env;
    this.#namespace = namespace;
  }

  async create(id: string, labels: Labels): Promise<Lease> {
    const { database } = this.#env;
    const lease: Lease = { id: id || randomId(), labels, createdAt: new Date() };
    database.transaction(() => {
      ensureNamespace(database, this.#namespace);
      const made = database.run(
        "INSERT OR IGNORE INTO leases (namespace, id, labels, created_at) VALUES (?, ?, ?, ?)",
        this.#namespace,
        lease.id,
        JSON.stringify(labels),
        lease.createdAt.getTime(),
      );
      if (made === 0) throw new AlreadyExists(`lease "${lease.id}": already exists`);
    });
    return lease;
  }

  async delete(id: string): Promise<void> {
    const { database } = this.#env;
    const deleted = database.essential(() =>
      database.run("DELETE FROM leases WHERE namespace = ? AND id = ?", this.#namespace, id),
    );
    const keys = { namespace: this.#namespace, id };
    if (deleted === 0 && !forgetSetAside(database, "leases", keys)) throw absent(id);
    this.#env.onDeletion();
  }

  async list(filters: readonly string[] = []): Promise<Lease[]> {
    const filter = recordFilters(filters);
    const rows = this.#env.database.all("SELECT * FROM leases WHERE namespace = ? ORDER BY id", this.#namespace);
    return [...readRows(this.#env, "leases", rows, leaseOf)].filter(({ id, labels }) =>
      filter(labeledAdaptor("id", id, labels)),
    );
  }

  async addResource(id: string, resource: LeaseResource): Promise<void> {
    const { database } = this.#env;
    database.transaction(() => {
      this.#check(id);
      validate(resource);
      addToLease(database, this.#namespace, id, resource);
    });
  }

  async deleteResource(id: string, resource: LeaseResource): Promise<void> {
    const { database } = this.#env;
    database.essential(() => {
      this.#check(id);
      validate(resource);
      database.run(
        "DELETE FROM lease_resources WHERE namespace = ? AND lease = ? AND type = ? AND id = ?",
        this.#namespace,
        id,
        resource.type,
        resource.id,
      );
    });
    this.#env.onDeletion();
  }

  async listResources(id: string): Promise<LeaseResource[]> {
    this.#check(id);
    const rows = this.#env.database.all(
      "SELECT type, id FROM lease_resources WHERE namespace = ? AND lease = ? ORDER BY type, id",
      this.#namespace,
      id,
    );
    return rows.map((row) => ({ type: text(row, "type"), id: text(row, "id") }));
  }

  #check(id: string): void {
    if (
      this.#env.database.get("SELECT 1 FROM leases WHERE namespace = ? AND id = ?", this.#namespace, id) === undefined
    )
      throw absent(id);
  }
}

function absent(id: string): NotFound {
  return new NotFound(`lease "${id}": not found`);
}

/** containerd's form: nanoseconds and four random characters. */
function randomId(): string {
  return `${process.hrtime.bigint() % 1_000_000_000n}-${randomBytes(3).toString("base64url")}`;
}

function validate({ type, id }: LeaseResource): void {
  const [kind = "", name] = type.split("/", 2);
  switch (kind) {
    case "content": {
      if (name !== undefined) break;
      const problem = digestProblem(id);
      if (problem !== undefined)
        throw new InvalidArgument(`invalid content resource id ${id}: ${problem}: invalid argument`);
      return;
    }
    case "ingests":
    case "images":
      if (name !== undefined) break;
      return;
    case "snapshots":
      if (!name || type.split("/").length > 2)
        throw new InvalidArgument(`invalid snapshot resource type ${type}: invalid argument`);
      return;
    default:
      throw new NotImplemented(`resource type ${type} not supported yet: not implemented`);
  }
  throw new InvalidArgument(`invalid resource type ${type}: invalid argument`);
}
