import { AlreadyExists, FailedPrecondition, InvalidArgument, NotFound } from "@longshore/errdefs";
import { validateIdentifier } from "@longshore/reference";
import { labels as labelsOf, text } from "./columns.ts";
import type { Labels, Namespace, NamespaceStore } from "../contract.ts";
import { type Environment, ensureNamespace } from "../environment.ts";
import { validateLabels, withEntry, withoutEmpty } from "./labels.ts";
import { readRows } from "../database/set-aside.ts";

export class Namespaces implements NamespaceStore {
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  async create(name: string, labels: Labels): Promise<void> {
    validateIdentifier(name);
    validateLabels(labels, "namespace.Labels");
    const made = this.#env.database.run(
      "INSERT OR IGNORE INTO namespaces (name, labels) VALUES (?, ?)",
      name,
      JSON.stringify(withoutEmpty(labels)),
    );
    if (made === 0) throw new AlreadyExists(`namespace "${name}": already exists`);
    await this.#env.database.flushed();
  }

  async labels(name: string): Promise<Labels> {
    return this.#labels(name);
  }

  async update(name: string, labels: Labels, fieldpaths: readonly string[]): Promise<Labels> {
    validateIdentifier(name);
    validateLabels(labels, "namespace.Labels");
    const { database } = this.#env;
    const updated = database.transaction(() => {
      let result = this.#labels(name);
      if (fieldpaths.length === 0) result = labels;
      for (const path of fieldpaths) {
        if (!path.startsWith("labels.")) throw new InvalidArgument(`cannot update "${path}" field`);
        result = withEntry(result, labels, path.slice("labels.".length));
      }
      result = withoutEmpty(result);
      ensureNamespace(database, name);
      database.run("UPDATE namespaces SET labels = ? WHERE name = ?", JSON.stringify(result), name);
      return result;
    });
    await database.flushed();
    return updated;
  }

  async list(): Promise<Namespace[]> {
    return [
      ...readRows(this.#env, "namespaces", this.#env.database.all("SELECT * FROM namespaces ORDER BY name"), (row) => ({
        name: text(row, "name"),
        labels: labelsOf(row),
      })),
    ];
  }

  async delete(name: string): Promise<void> {
    const { database } = this.#env;
    database.essential(() => {
      const held = this.#held(name);
      if (held.length > 0)
        throw new FailedPrecondition(
          `namespace "${name}" must be empty, but it still has ${held.join(", ")}: failed precondition`,
        );
      database.run("DELETE FROM leases WHERE namespace = ?", name);
      database.run("DELETE FROM sandboxes WHERE namespace = ?", name);
      database.run("DELETE FROM ingests WHERE namespace = ?", name);
      if (database.run("DELETE FROM namespaces WHERE name = ?", name) === 0)
        throw new NotFound(`namespace "${name}": not found`);
    });
    await database.flushed();
    this.#env.onDeletion();
  }

  #labels(name: string): Labels {
    const row = this.#env.database.get("SELECT labels FROM namespaces WHERE name = ?", name);
    return row === undefined ? {} : labelsOf(row);
  }

  /** What keeps a namespace from being deleted, in containerd's words and order. */
  #held(name: string): string[] {
    const { database } = this.#env;
    const has = (table: string): boolean =>
      database.get(`SELECT 1 FROM ${table} WHERE namespace = ? LIMIT 1`, name) !== undefined;
    const held = [has("images") && "images", has("blobs") && "blobs", has("containers") && "containers"].filter(
      (entry) => entry !== false,
    );
    for (const row of database.all("SELECT DISTINCT snapshotter FROM snapshots WHERE namespace = ? ORDER BY 1", name)) {
      held.push(`snapshots on "${text(row, "snapshotter")}" snapshotter`);
    }
    return held;
  }
}
