import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { AlreadyExists, FailedPrecondition, InvalidArgument, NotFound } from "@longshore/errdefs";
import type { CallContext, ServiceImplementation } from "@longshore/grpc";
import {
  SnapshotCommitSchema,
  SnapshotPrepareSchema,
  SnapshotRemoveSchema,
} from "@longshore/proto/containerd/events/events";
import { Kind, type Snapshots } from "@longshore/proto/containerd/services/snapshots/v1/snapshots";
import {
  type Labels,
  type Shared,
  type Snapshot,
  fields,
  keepForLease,
  now,
  select,
  storeOf,
  updatedLabels,
} from "../store.ts";

const kinds = { active: Kind.ACTIVE, view: Kind.VIEW, committed: Kind.COMMITTED };

/** @param folder where each snapshot gets a folder of its own, which its mounts bind; undefined: mounts lead nowhere */
export function snapshotsService(shared: Shared, folder: string | undefined): ServiceImplementation<typeof Snapshots> {
  let count = 0;
  const find = (all: Map<string, Snapshot>, key: string): Snapshot => {
    const snapshot = all.get(key);
    if (snapshot === undefined) throw new NotFound(`snapshot ${key} does not exist: not found`);
    return snapshot;
  };
  const allOf = (snapshotter: string, context: CallContext): Map<string, Snapshot> => {
    if (snapshotter === "") throw new InvalidArgument("snapshotter argument missing: invalid argument");
    return storeOf(shared, context).snapshots(snapshotter);
  };
  const mountsOf = ({ kind, path }: Snapshot) => [
    { type: "bind", source: path, target: "", options: [kind === "view" ? "ro" : "rw", "rbind"] },
  ];
  const add = (
    kind: "active" | "view",
    { snapshotter, key, parent, labels }: { snapshotter: string; key: string; parent: string; labels: Labels },
    context: CallContext,
  ): Snapshot => {
    const all = allOf(snapshotter, context);
    if (key === "") throw new InvalidArgument("failed to create snapshot: key is empty: invalid argument");
    if (all.has(key)) throw new AlreadyExists(`snapshot "${key}": already exists`);
    if (parent !== "") {
      const below = all.get(parent);
      if (below === undefined) throw new NotFound(`parent snapshot ${parent} does not exist: not found`);
      if (below.kind !== "committed")
        throw new InvalidArgument(`parent "${parent}" is not committed snapshot: invalid argument`);
    }
    const path = join(folder ?? "/nowhere/snapshots", String(++count));
    if (folder !== undefined) mkdirSync(path, { recursive: true });
    const snapshot = { key, parent, kind, labels, size: 0, path, createdAt: now(), updatedAt: now() };
    all.set(key, snapshot);
    keepForLease(storeOf(shared, context), context, `snapshots/${snapshotter}`, key);
    return snapshot;
  };
  const info = ({ key, parent, kind, labels, createdAt, updatedAt }: Snapshot) => ({
    name: key,
    parent,
    kind: kinds[kind],
    labels,
    createdAt,
    updatedAt,
  });
  return {
    prepare(request, context) {
      const { key, parent, snapshotter } = request;
      const mounts = mountsOf(add("active", request, context));
      shared.events.publish(storeOf(shared, context).namespace, "/snapshot/prepare", SnapshotPrepareSchema, {
        key,
        parent,
        snapshotter,
      });
      return { mounts };
    },
    view: (request, context) => ({ mounts: mountsOf(add("view", request, context)) }),
    mounts: ({ snapshotter, key }, context) => ({ mounts: mountsOf(find(allOf(snapshotter, context), key)) }),
    commit({ snapshotter, name, key, labels }, context) {
      const all = allOf(snapshotter, context);
      if (all.has(name)) throw new AlreadyExists(`snapshot "${name}": already exists`);
      const snapshot = find(all, key);
      if (snapshot.kind !== "active")
        throw new FailedPrecondition(`snapshot ${key} is not active: failed precondition`);
      all.delete(key);
      all.set(name, { ...snapshot, key: name, kind: "committed", labels, createdAt: now(), updatedAt: now() });
      const store = storeOf(shared, context);
      keepForLease(store, context, `snapshots/${snapshotter}`, name);
      shared.events.publish(store.namespace, "/snapshot/commit", SnapshotCommitSchema, { key, name, snapshotter });
      return {};
    },
    remove({ snapshotter, key }, context) {
      const all = allOf(snapshotter, context);
      find(all, key);
      if ([...all.values()].some(({ parent }) => parent === key))
        throw new FailedPrecondition("cannot remove snapshot with child: failed precondition");
      all.delete(key);
      shared.events.publish(storeOf(shared, context).namespace, "/snapshot/remove", SnapshotRemoveSchema, {
        key,
        snapshotter,
      });
      return {};
    },
    stat: ({ snapshotter, key }, context) => ({ info: info(find(allOf(snapshotter, context), key)) }),
    update({ snapshotter, info: given, updateMask }, context) {
      const snapshot = find(allOf(snapshotter, context), given?.name ?? "");
      snapshot.labels = updatedLabels(snapshot.labels, given?.labels ?? {}, updateMask?.paths ?? []);
      snapshot.updatedAt = now();
      return { info: info(snapshot) };
    },
    async *list({ snapshotter, filters }, context) {
      const chosen = select(allOf(snapshotter, context).values(), filters, ({ key, parent, kind, labels }) =>
        fields({ name: key, parent, kind }, labels),
      );
      if (chosen.length > 0) yield { info: chosen.map(info) };
    },
    usage: ({ snapshotter, key }, context) => ({
      size: BigInt(find(allOf(snapshotter, context), key).size),
      inodes: 1n,
    }),
    cleanup: () => ({}),
  };
}
