import type { Store as ContentStore } from "@longshore/content";
import type { Snapshotter } from "@longshore/snapshots";

export type { Mount, SnapshotInfo, Snapshotter, Usage } from "@longshore/snapshots";

/** In whose name a call is made; every store that a `Scope` gives is bound to it. */
export interface CallScope {
  namespace: string;
  /** The lease that blobs, ingests and snapshots made in the call belong to. */
  lease?: string | undefined;
}

export type Labels = Record<string, string>;

/** A packed message; containerd's type URLs are bare names. */
export interface PackedAny {
  typeUrl: string;
  value: Uint8Array;
}

export interface Descriptor {
  mediaType: string;
  digest: string;
  /** Bytes. */
  size: number;
  annotations: Labels;
}

export interface Image {
  name: string;
  labels: Labels;
  target: Descriptor;
  createdAt: Date;
  updatedAt: Date;
}

export interface Container {
  id: string;
  labels: Labels;
  image: string;
  runtime: { name: string; options?: PackedAny | undefined };
  /** OCI runtime spec as JSON, packed. */
  spec?: PackedAny | undefined;
  snapshotter: string;
  snapshotKey: string;
  /** Id of the sandbox that it belongs to, or "". */
  sandbox: string;
  extensions: Record<string, PackedAny>;
  createdAt: Date;
  updatedAt: Date;
}

/** Containers that share a surrounding, such as a pod's. */
export interface Sandbox {
  id: string;
  labels: Labels;
  runtime: { name: string; options?: PackedAny | undefined };
  spec?: PackedAny | undefined;
  /** Name of the controller that runs it; "" where the client named none. */
  sandboxer: string;
  extensions: Record<string, PackedAny>;
  createdAt: Date;
  updatedAt: Date;
}

export interface Lease {
  id: string;
  labels: Labels;
  createdAt: Date;
}

/** What a lease keeps. */
export interface LeaseResource {
  /** `content`, `ingests`, `images` or `snapshots/<snapshotter>`. */
  type: string;
  /** Digest, ref, name or key. */
  id: string;
}

export interface Namespace {
  name: string;
  labels: Labels;
}

export interface NamespaceStore {
  /** @throws AlreadyExists, InvalidArgument */
  create(name: string, labels: Labels): Promise<void>;
  /** A namespace that does not exist has no labels. */
  labels(name: string): Promise<Labels>;
  /** Sets labels, "" removes; `fieldpaths` are `labels.K`, none of them replaces all. @throws InvalidArgument */
  update(name: string, labels: Labels, fieldpaths: readonly string[]): Promise<Labels>;
  list(): Promise<Namespace[]>;
  /** @throws NotFound, FailedPrecondition while something is in it */
  delete(name: string): Promise<void>;
}

export interface ContainerStore {
  get(id: string): Promise<Container>;
  list(filters?: readonly string[]): Promise<Container[]>;
  create(container: Omit<Container, "createdAt" | "updatedAt">): Promise<Container>;
  /** @param fieldpaths `labels[.K]`, `spec`, `extensions[.K]`, `image`, `snapshotkey`; none replaces all that may change */
  update(container: Omit<Container, "createdAt" | "updatedAt">, fieldpaths: readonly string[]): Promise<Container>;
  delete(id: string): Promise<void>;
}

export interface SandboxStore {
  /** @throws NotFound */
  get(id: string): Promise<Sandbox>;
  /** Filters know `id` and `labels.K`. @throws InvalidArgument */
  list(filters?: readonly string[]): Promise<Sandbox[]>;
  /** @throws AlreadyExists, InvalidArgument for the id */
  create(sandbox: Omit<Sandbox, "createdAt" | "updatedAt">): Promise<Sandbox>;
  /** @param fieldpaths `labels[.K]`, `extensions[.K]`, `runtime`, `spec`; none replaces all of them, but not the runtime's name */
  update(sandbox: Omit<Sandbox, "createdAt" | "updatedAt">, fieldpaths: readonly string[]): Promise<Sandbox>;
  /** @throws NotFound */
  delete(id: string): Promise<void>;
}

export interface ImageStore {
  get(name: string): Promise<Image>;
  list(filters?: readonly string[]): Promise<Image[]>;
  /** @param at becomes the time stamp (source date epoch) */
  create(image: Omit<Image, "createdAt" | "updatedAt">, at?: Date): Promise<Image>;
  /** @param fieldpaths `labels[.K]`, `target`, `annotations[.K]`; none replaces the record */
  update(image: Omit<Image, "createdAt" | "updatedAt">, fieldpaths: readonly string[], at?: Date): Promise<Image>;
  /** @param target only while the image has this digest */
  delete(name: string, target?: string): Promise<void>;
}

export interface LeaseStore {
  /** An empty id is replaced by a random one. */
  create(id: string, labels: Labels): Promise<Lease>;
  delete(id: string): Promise<void>;
  list(filters?: readonly string[]): Promise<Lease[]>;
  addResource(id: string, resource: LeaseResource): Promise<void>;
  deleteResource(id: string, resource: LeaseResource): Promise<void>;
  listResources(id: string): Promise<LeaseResource[]>;
}

/** All stores of one namespace. What is made through them belongs to the scope's lease, if it has one. */
export interface Scope extends CallScope {
  readonly containers: ContainerStore;
  readonly sandboxes: SandboxStore;
  readonly images: ImageStore;
  readonly leases: LeaseStore;
  readonly content: ContentStore;
  /** @throws InvalidArgument when no such snapshotter is loaded */
  snapshotter(name: string): Snapshotter;
}
