import { AlreadyExists, InvalidArgument, NotFound } from "@longshore/errdefs";
import { validateIdentifier } from "@longshore/reference";
import { date, encode, encodeMap, labels, packed, packedMap, text } from "./columns.ts";
import type { Container, ContainerStore } from "../contract.ts";
import type { Row } from "../database/database.ts";
import { type Environment, ensureNamespace } from "../environment.ts";
import { containerAdaptor, recordFilters } from "./filters.ts";
import { validateLabels, withEntry, withoutEmpty } from "./labels.ts";
import { forgetSetAside, readRows } from "../database/set-aside.ts";

type Draft = Omit<Container, "createdAt" | "updatedAt">;

/** @throws DataLoss when the record cannot be read */
export function containerOf(row: Row): Container {
  return {
    id: text(row, "id"),
    labels: labels(row),
    image: text(row, "image"),
    runtime: { name: text(row, "runtime"), options: packed(row, "runtime_options") },
    spec: packed(row, "spec"),
    snapshotter: text(row, "snapshotter"),
    snapshotKey: text(row, "snapshot_key"),
    sandbox: text(row, "sandbox"),
    extensions: packedMap(row, "extensions"),
    createdAt: date(row, "created_at"),
    updatedAt: date(row, "updated_at"),
  };
}

export class Containers implements ContainerStore {
  readonly #env: Environment;
  readonly #namespace: string;

  constructor(env: Environment, namespace: string) {
    this.#env = env;
    this.#namespace = namespace;
  }

  async get(id: string): Promise<Container> {
    const container = this.#find(id);
    if (container === undefined) throw new NotFound(`container "${id}" in namespace "${this.#namespace}": not found`);
    return container;
  }

  async list(filters: readonly string[] = []): Promise<Container[]> {
    const filter = recordFilters(filters);
    const rows = this.#env.database.all("SELECT * FROM containers WHERE namespace = ? ORDER BY id", this.#namespace);
    return [...readRows(this.#env, "containers", rows, containerOf)].filter((container) =>
      filter(containerAdaptor(container)),
    );
  }

  async create(draft: Draft): Promise<Container> {
    validate(draft, "create container failed validation: ");
    const { database } = this.#env;
    const now = new Date();
    const container: Container = { ...draft, labels: withoutEmpty(draft.labels), createdAt: now, updatedAt: now };
    database.transaction(() => {
      if (this.#find(draft.id) !== undefined) throw new AlreadyExists(`container "${draft.id}": already exists`);
      ensureNamespace(database, this.#namespace);
      this.#put(container);
    });
    await database.flushed();
    this.#env.onMutation();
    return container;
  }

  async update(draft: Draft, fieldpaths: readonly string[]): Promise<Container> {
    const { database, onMutation } = this.#env;
    // A container that is there can be started on a full disk, too.
    const result = database.essential(() => {
      const current = this.#find(draft.id);
      if (current === undefined) throw new NotFound(`container "${draft.id}": not found`);
      const updated = fieldpaths.length === 0 ? replaced(current, draft) : masked(current, draft, fieldpaths);
      validate(updated, "update failed validation: ");
      const container: Container = {
        ...updated,
        labels: withoutEmpty(updated.labels),
        createdAt: current.createdAt,
        updatedAt: new Date(),
      };
      this.#put(container);
      return container;
    });
    await database.flushed();
    onMutation();
    return result;
  }

  async delete(id: string): Promise<void> {
    const { database } = this.#env;
    const deleted = database.essential(() =>
      database.run("DELETE FROM containers WHERE namespace = ? AND id = ?", this.#namespace, id),
    );
    const keys = { namespace: this.#namespace, id };
    if (deleted === 0 && !forgetSetAside(database, "containers", keys))
      throw new NotFound(`container ${id}: not found`);
    await database.flushed();
    this.#env.onDeletion();
  }

  #find(id: string): Container | undefined {
    const row = this.#env.database.get("SELECT * FROM containers WHERE namespace = ? AND id = ?", this.#namespace, id);
    return row && containerOf(row);
  }

  #put(container: Container): void {
    const { runtime, spec } = container;
    this.#env.database.run(
      `INSERT OR REPLACE INTO containers (namespace, id, labels, image, runtime, runtime_options, spec, snapshotter, snapshot_key,
         sandbox, extensions, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      this.#namespace,
      container.id,
      JSON.stringify(container.labels),
      container.image,
      runtime.name,
      runtime.options === undefined ? null : encode(runtime.options),
      spec === undefined ? null : encode(spec),
      container.snapshotter,
      container.snapshotKey,
      container.sandbox,
      encodeMap(container.extensions),
      container.createdAt.getTime(),
      container.updatedAt.getTime(),
    );
  }
}

function validate(container: Draft, prefix: string): void {
  const invalid = (problem: string): InvalidArgument => new InvalidArgument(`${prefix}${problem}: invalid argument`);
  validateIdentifier(container.id, `${prefix}container.ID: `);
  if ("" in container.extensions) throw invalid("container.Extension keys must not be zero-length");
  validateLabels(container.labels, `${prefix}containers.Labels`);
  if (container.runtime.name === "") throw invalid("container.Runtime.Name must be set");
  if (container.spec === undefined) throw invalid("container.Spec must be set");
  if (container.snapshotKey !== "" && container.snapshotter === "")
    throw invalid("container.Snapshotter must be set if container.SnapshotKey is set");
}

/** The record after an update without field paths: all that may change is taken from `draft`. */
function replaced(current: Container, draft: Draft): Draft {
  const immutable = (field: string): InvalidArgument =>
    new InvalidArgument(`container.${field} field is immutable: invalid argument`);
  if (draft.snapshotter !== current.snapshotter) throw immutable("Snapshotter");
  if (draft.runtime.name !== current.runtime.name) throw immutable("Runtime.Name");
  return { ...draft, sandbox: current.sandbox };
}

function masked(current: Container, draft: Draft, fieldpaths: readonly string[]): Draft {
  let result: Draft = current;
  for (const path of fieldpaths) {
    const [field = "", key] = split(path);
    if (field === "labels")
      result = { ...result, labels: key === undefined ? draft.labels : withEntry(result.labels, draft.labels, key) };
    else if (field === "extensions")
      result = {
        ...result,
        extensions: key === undefined ? draft.extensions : withEntry(result.extensions, draft.extensions, key),
      };
    else if (path === "spec") result = { ...result, spec: draft.spec };
    else if (path === "image") result = { ...result, image: draft.image };
    else if (path === "snapshotkey") result = { ...result, snapshotKey: draft.snapshotKey };
    else throw new InvalidArgument(`cannot update "${path}" field on "${draft.id}": invalid argument`);
  }
  return result;
}

function split(path: string): [field: string, key?: string] {
  const dot = path.indexOf(".");
  return dot === -1 ? [path] : [path.slice(0, dot), path.slice(dot + 1)];
}
