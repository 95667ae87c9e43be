import { type Timestamp, timestampNow } from "@bufbuild/protobuf/wkt";
import { InvalidArgument } from "@longshore/errdefs";
import { type Adaptor, mapField, parseAll } from "@longshore/filters";
import type { CallContext } from "@longshore/grpc";
import { type Container } from "@longshore/proto/containerd/services/containers/v1/containers";
import type { Image } from "@longshore/proto/containerd/services/images/v1/images";
import { leaseOf, namespaceOf } from "../namespaces/metadata.ts";
import type { EventBus } from "./events.ts";
import type { FakeTask } from "./process.ts";

export type Labels = Record<string, string>;

export interface Blob {
  readonly data: Uint8Array;
  labels: Labels;
  readonly createdAt: Timestamp;
  updatedAt: Timestamp;
}

export interface Ingest {
  readonly ref: string;
  data: Buffer;
  total: bigint;
  expected: string;
  readonly startedAt: Timestamp;
  updatedAt: Timestamp;
  /** Whether a call writes it now. */
  open: boolean;
}

export interface Snapshot {
  readonly key: string;
  readonly parent: string;
  readonly kind: "active" | "view" | "committed";
  labels: Labels;
  /** Bytes, as `usage` tells them. */
  size: number;
  /** Its folder, where the fake has been given one for snapshots. */
  readonly path: string;
  readonly createdAt: Timestamp;
  updatedAt: Timestamp;
}

export interface LeaseRecord {
  readonly id: string;
  readonly labels: Labels;
  readonly createdAt: Timestamp;
  /** `<type>\0<id>` */
  readonly resources: Set<string>;
}

/** What one namespace of the fake has. */
export class Store {
  readonly namespace: string;
  readonly containers = new Map<string, Container>();
  readonly images = new Map<string, Image>();
  readonly blobs = new Map<string, Blob>();
  readonly ingests = new Map<string, Ingest>();
  readonly leases = new Map<string, LeaseRecord>();
  readonly tasks = new Map<string, FakeTask>();
  readonly #snapshots = new Map<string, Map<string, Snapshot>>();
  labels: Labels = {};

  constructor(namespace: string) {
    this.namespace = namespace;
  }

  /** The snapshots of a snapshotter, by key. */
  snapshots(snapshotter: string): Map<string, Snapshot> {
    const found = this.#snapshots.get(snapshotter) ?? new Map<string, Snapshot>();
    this.#snapshots.set(snapshotter, found);
    return found;
  }

  get snapshotters(): IterableIterator<[string, Map<string, Snapshot>]> {
    return this.#snapshots.entries();
  }
}

/** What the fake's services share. */
export interface Shared {
  readonly stores: Map<string, Store>;
  readonly events: EventBus;
  /** Removes what nothing leads to any more. */
  collect(): void;
}

/** The store of a call's namespace, which comes to be with its first use. @throws FailedPrecondition without one */
export function storeOf({ stores }: Pick<Shared, "stores">, context: CallContext): Store {
  const namespace = namespaceOf(context);
  const store = stores.get(namespace) ?? new Store(namespace);
  stores.set(namespace, store);
  return store;
}

/** Lets the call's lease keep what it makes. */
export function keepForLease(store: Store, context: CallContext, type: string, id: string): void {
  const lease = leaseOf(context);
  if (lease !== undefined) store.leases.get(lease)?.resources.add(`${type}\0${id}`);
}

/** Those of `items` that one of containerd's filters takes; all without a filter. */
export function select<T>(items: Iterable<T>, filters: readonly string[], adapt: (item: T) => Adaptor): T[] {
  const filter = parseAll(filters);
  return [...items].filter((item) => filter(adapt(item)));
}

/** An adaptor for a record that has labels and fields of text. */
export function fields(values: Readonly<Record<string, string>>, labels: Labels): Adaptor {
  return ([name = "", ...rest]) =>
    name === "labels" ? mapField(labels, rest) : values[[name, ...rest].join(".")] || undefined;
}

/** Labels as an update with a mask leaves them. @throws InvalidArgument for another field */
export function updatedLabels(before: Labels, given: Labels, paths: readonly string[], others: string[] = []): Labels {
  if (paths.length === 0) return { ...given };
  let labels = { ...before };
  for (const path of paths) {
    if (path === "labels") labels = { ...given };
    else if (path.startsWith("labels.")) {
      const key = path.slice("labels.".length);
      const value = given[key];
      if (value === undefined || value === "") delete labels[key];
      else labels[key] = value;
    } else if (!others.includes(path)) throw new InvalidArgument(`cannot update "${path}" field: invalid argument`);
  }
  return labels;
}

export const now = timestampNow;
