import { AlreadyExists, FailedPrecondition, NotFound, isKind } from "@longshore/errdefs";
import {
  SnapshotCommitSchema,
  SnapshotPrepareSchema,
  SnapshotRemoveSchema,
} from "@longshore/proto/containerd/events/events";
import { parseAll } from "@longshore/filters";
import type { CallScope, Labels, Mount, SnapshotInfo, Snapshotter, Usage } from "../contract.ts";
import type { Environment } from "../environment.ts";
import { snapshotAdaptor } from "../records/filters.ts";
import { updateLabels, validateLabels, withoutEmpty } from "../records/labels.ts";
import { addToLease, checkLease } from "../records/leases.ts";
import { forgetSetAside, readRows } from "../database/set-aside.ts";
import { type SnapshotRecord, SnapshotTable, snapshotOf } from "./snapshot-table.ts";

const targetLabel = "containerd.io/snapshot.ref";

/** The labels that a backend gets to see. */
function backendLabels(labels: Labels): Labels {
  return Object.fromEntries(
    Object.entries(labels).filter(([key]) => key === targetLabel || key.startsWith("containerd.io/snapshot/")),
  );
}

/** Whether a snapshot is being filled with an image's layer: until the image refers to it, a power cut may take it. */
const isLayer = (labels: Labels): boolean => labels[targetLabel] !== undefined;

/** The snapshots of one snapshotter that one namespace sees, kept in the backend under `<namespace>/<number>/<key>`. */
export class ScopedSnapshotter implements Snapshotter {
  readonly #env: Environment;
  readonly #scope: CallScope;
  readonly #name: string;
  readonly #backend: Snapshotter;
  readonly #table: SnapshotTable;

  constructor(env: Environment, scope: CallScope, name: string, backend: Snapshotter) {
    this.#env = env;
    this.#scope = scope;
    this.#name = name;
    this.#backend = backend;
    this.#table = new SnapshotTable(env.database, scope.namespace, name);
  }

  async stat(key: string): Promise<SnapshotInfo> {
    return this.#info(this.#get(key));
  }

  async #info(record: SnapshotRecord): Promise<SnapshotInfo> {
    const { kind } = await this.#backend.stat(record.backendKey);
    const { key, parent, labels, createdAt, updatedAt } = record;
    return { name: key, parent, kind, labels, createdAt, updatedAt };
  }

  async update(
    { name, labels }: Pick<SnapshotInfo, "name" | "labels">,
    fieldpaths: readonly string[] = [],
  ): Promise<SnapshotInfo> {
    const record = this.#env.database.transaction(() => {
      const current = this.#get(name);
      const updated = {
        ...current,
        labels: updateLabels(current.labels, labels, fieldpaths, `snapshot "${name}"`),
        updatedAt: new Date(),
      };
      validateLabels(updated.labels, "info.Labels");
      this.#table.put(updated);
      return updated;
    });
    await this.#env.database.flushed();
    this.#env.onMutation();
    return this.#info(record);
  }

  async usage(key: string): Promise<Usage> {
    return this.#backend.usage(this.#get(key).backendKey);
  }

  async mounts(key: string): Promise<Mount[]> {
    return this.#backend.mounts(this.#get(key).backendKey);
  }

  async prepare(key: string, parent: string, labels: Labels = {}): Promise<Mount[]> {
    const mounts = await this.#create(key, parent, labels, (...args) => this.#backend.prepare(...args));
    this.#env.publisher.publish(this.#scope.namespace, "/snapshot/prepare", SnapshotPrepareSchema, {
      key,
      parent,
      snapshotter: this.#name,
    });
    return mounts;
  }

  async view(key: string, parent: string, labels: Labels = {}): Promise<Mount[]> {
    return this.#create(key, parent, labels, (...args) => this.#backend.view(...args));
  }

  async #create(key: string, parent: string, labels: Labels, make: Snapshotter["prepare"]): Promise<Mount[]> {
    validateLabels(labels, "info.Labels");
    this.#table.checkKey(key);
    const { database, gate } = this.#env;
    return gate.pass(async () => {
      const target = labels[targetLabel];
      if (target !== undefined && this.#table.find(target) !== undefined)
        throw new AlreadyExists(`target snapshot "${target}": already exists`);
      this.#checkNew(key, parent);
      const backendKey = `${this.#scope.namespace}/${database.next()}/${key}`;
      const mounts = await make(
        backendKey,
        parent === "" ? "" : this.#parent(parent).backendKey,
        backendLabels(labels),
      );
      const now = new Date();
      try {
        database.transaction(() => {
          // Others may have come first while the backend worked.
          this.#checkNew(key, parent);
          addToLease(database, this.#scope.namespace, this.#scope.lease, { type: `snapshots/${this.#name}`, id: key });
          this.#table.put({ key, backendKey, parent, labels: withoutEmpty(labels), createdAt: now, updatedAt: now });
        });
      } catch (error) {
        await this.#backend.remove(backendKey);
        throw error;
      }
      if (!isLayer(labels)) await database.flushed();
      this.#env.onMutation();
      return mounts;
    });
  }

  #checkNew(key: string, parent: string): void {
    if (this.#table.isTaken(key)) throw new AlreadyExists(`snapshot "${key}": already exists`);
    if (parent !== "") this.#parent(parent);
    checkLease(this.#env.database, this.#scope.namespace, this.#scope.lease);
  }

  #parent(name: string): SnapshotRecord {
    const record = this.#table.find(name);
    if (record === undefined) throw new NotFound(`parent snapshot ${name} does not exist: not found`);
    return record;
  }

  async commit(name: string, key: string, labels: Labels = {}): Promise<void> {
    validateLabels(labels, "info.Labels");
    this.#table.checkKey(name);
    const { database, gate, publisher, onMutation } = this.#env;
    const { namespace, lease } = this.#scope;
    await gate.pass(async () => {
      const { backendKey, intent, layer } = database.transaction(() => {
        if (this.#table.isTaken(name)) throw new AlreadyExists(`snapshot "${name}": already exists`);
        const current = this.#get(key);
        addToLease(database, namespace, lease, { type: `snapshots/${this.#name}`, id: name });
        const planned = { name, labels: withoutEmpty(labels), backendKey: `${namespace}/${database.next()}/${name}` };
        // Were we killed after the backend has committed, the next start finishes this.
        this.#table.plan(key, planned);
        return { backendKey: current.backendKey, intent: planned, layer: isLayer(current.labels) };
      });
      // The plan has to be on the disk before the backend's own record, which tells nothing of this one.
      if (!layer) await database.flushed();
      try {
        await this.#backend.commit(intent.backendKey, backendKey, backendLabels(labels));
      } catch (error) {
        this.#table.plan(key, undefined);
        throw error;
      }
      this.#table.fulfil(key);
    });
    publisher.publish(namespace, "/snapshot/commit", SnapshotCommitSchema, { key, name, snapshotter: this.#name });
    onMutation();
  }

  async remove(key: string): Promise<void> {
    const { database, publisher, onDeletion } = this.#env;
    const { namespace } = this.#scope;
    database.essential(() => {
      const keys = { namespace, snapshotter: this.#name, key };
      if (this.#table.find(key) === undefined && forgetSetAside(database, "snapshots", keys)) return;
      this.#get(key);
      if (this.#table.hasChildren(key))
        throw new FailedPrecondition("cannot remove snapshot with child: failed precondition");
      this.#table.delete(key);
    });
    await this.#env.database.flushed();
    publisher.publish(namespace, "/snapshot/remove", SnapshotRemoveSchema, { key, snapshotter: this.#name });
    onDeletion();
  }

  async *list(filters: readonly string[] = []): AsyncGenerator<SnapshotInfo> {
    const filter = parseAll(filters);
    for (const record of readRows(this.#env, "snapshots", this.#table.rows(), snapshotOf)) {
      let info: SnapshotInfo;
      try {
        info = await this.#info(record);
      } catch (error) {
        // Removed while we were on the way.
        if (isKind(error, "NotFound") && this.#table.find(record.key) === undefined) continue;
        throw error;
      }
      if (filter(snapshotAdaptor(info))) yield info;
    }
  }

  /** Frees what the backend can free at once; what was removed here waits for the next collection. */
  async cleanup(): Promise<void> {
    await this.#backend.cleanup();
  }

  #get(key: string): SnapshotRecord {
    const record = this.#table.find(key);
    if (record === undefined) throw new NotFound(`snapshot ${key} does not exist: not found`);
    return record;
  }
}
