import { AlreadyExists, InvalidArgument, NotFound } from "@longshore/errdefs";
import { validateIdentifier } from "@longshore/reference";
import { date, encode, encodeMap, labels, packed, packedMap, text } from "./columns.ts";
import type { Sandbox, SandboxStore } from "../contract.ts";
import type { Row } from "../database/database.ts";
import { type Environment, ensureNamespace } from "../environment.ts";
import { labeledAdaptor, recordFilters } from "./filters.ts";
import { withEntry, withoutEmpty } from "./labels.ts";
import { forgetSetAside, readRows } from "../database/set-aside.ts";

type Draft = Omit<Sandbox, "createdAt" | "updatedAt">;

/** @throws DataLoss when the record cannot be read */
export function sandboxOf(row: Row): Sandbox {
  return {
    id: text(row, "id"),
    labels: labels(row),
    runtime: { name: text(row, "runtime"), options: packed(row, "runtime_options") },
    spec: packed(row, "spec"),
    sandboxer: text(row, "sandboxer"),
    extensions: packedMap(row, "extensions"),
    createdAt: date(row, "created_at"),
    updatedAt: date(row, "updated_at"),
  };
}

/** The sandboxes' records of one namespace; errors are containerd's, also where they speak of its buckets. */
export class Sandboxes implements SandboxStore {
  readonly #env: Environment;
  readonly #namespace: string;

  constructor(env: Environment, namespace: string) {
    this.#env = env;
    this.#namespace = namespace;
  }

  async get(id: string): Promise<Sandbox> {
    this.#mustHaveAny();
    return this.#read(id);
  }

  async list(filters: readonly string[] = []): Promise<Sandbox[]> {
    const filter = recordFilters(filters);
    const rows = this.#env.database.all("SELECT * FROM sandboxes WHERE namespace = ? ORDER BY id", this.#namespace);
    return [...readRows(this.#env, "sandboxes", rows, sandboxOf)].filter((sandbox) =>
      filter(labeledAdaptor("id", sandbox.id, sandbox.labels)),
    );
  }

  async create(draft: Draft): Promise<Sandbox> {
    validateIdentifier(draft.id, "failed to validate sandbox: invalid sandbox ID: ");
    const { database } = this.#env;
    const now = new Date();
    const sandbox: Sandbox = { ...draft, labels: withoutEmpty(draft.labels), createdAt: now, updatedAt: now };
    database.transaction(() => {
      if (this.#find(draft.id) !== undefined)
        throw new AlreadyExists(`write error: sandbox bucket "${draft.id}" already exists: already exists`);
      ensureNamespace(database, this.#namespace);
      this.#put(sandbox);
    });
    await database.flushed();
    this.#env.onMutation();
    return sandbox;
  }

  async update(draft: Draft, fieldpaths: readonly string[]): Promise<Sandbox> {
    const { database, onMutation } = this.#env;
    const result = database.transaction(() => {
      this.#mustHaveAny();
      const current = this.#read(draft.id);
      const updated = fieldpaths.length === 0 ? replaced(current, draft) : masked(current, draft, fieldpaths);
      const sandbox: Sandbox = { ...updated, labels: withoutEmpty(updated.labels), updatedAt: new Date() };
      this.#put(sandbox);
      return sandbox;
    });
    await database.flushed();
    onMutation();
    return result;
  }

  async delete(id: string): Promise<void> {
    const { database } = this.#env;
    const deleted = database.essential(() =>
      database.run("DELETE FROM sandboxes WHERE namespace = ? AND id = ?", this.#namespace, id),
    );
    if (deleted === 0 && !forgetSetAside(database, "sandboxes", { namespace: this.#namespace, id })) {
      this.#mustHaveAny();
      throw new NotFound(`failed to delete sandbox "${id}": not found`);
    }
    await database.flushed();
    this.#env.onDeletion();
  }

  #mustHaveAny(): void {
    const any = this.#env.database.get("SELECT 1 FROM sandboxes WHERE namespace = ? LIMIT 1", this.#namespace);
    if (any === undefined) throw new NotFound("no sandbox buckets: not found");
  }

  #read(id: string): Sandbox {
    const sandbox = this.#find(id);
    if (sandbox === undefined) throw new NotFound(`bucket "${id}" not found: not found`);
    return sandbox;
  }

  #find(id: string): Sandbox | undefined {
    const row = this.#env.database.get("SELECT * FROM sandboxes WHERE namespace = ? AND id = ?", this.#namespace, id);
    return row && sandboxOf(row);
  }

  #put({ id, labels: kept, runtime, spec, sandboxer, extensions, createdAt, updatedAt }: Sandbox): void {
    this.#env.database.run(
      `INSERT OR REPLACE INTO sandboxes (namespace, id, labels, runtime, runtime_options, spec, sandboxer, extensions, created_at, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      this.#namespace,
      id,
      JSON.stringify(kept),
      runtime.name,
      runtime.options === undefined ? null : encode(runtime.options),
      spec === undefined ? null : encode(spec),
      sandboxer,
      encodeMap(extensions),
      createdAt.getTime(),
      updatedAt.getTime(),
    );
  }
}

/** The record after an update without field paths: all that may change is taken from `draft`. */
function replaced(current: Sandbox, { labels: given, extensions, spec, runtime }: Draft): Sandbox {
  if (runtime.name !== current.runtime.name)
    throw new InvalidArgument("sandbox.Runtime.Name field is immutable: invalid argument");
  return { ...current, labels: given, extensions, spec, runtime };
}

function masked(current: Sandbox, draft: Draft, fieldpaths: readonly string[]): Sandbox {
  let result = current;
  for (const path of fieldpaths) {
    if (path.startsWith("labels."))
      result = { ...result, labels: withEntry(result.labels, draft.labels, path.slice("labels.".length)) };
    else if (path.startsWith("extensions."))
      result = {
        ...result,
        extensions: withEntry(result.extensions, draft.extensions, path.slice("extensions.".length)),
      };
    else if (path === "labels") result = { ...result, labels: draft.labels };
    else if (path === "extensions") result = { ...result, extensions: draft.extensions };
    else if (path === "runtime") result = { ...result, runtime: draft.runtime };
    else if (path === "spec") result = { ...result, spec: draft.spec };
    else throw new InvalidArgument(`cannot update "${path}" field on sandbox "${draft.id}": invalid argument`);
  }
  return result;
}
