/** A mount in containerd's form: `type`, `source` and options in the words of mount(8). */
export interface Mount {
  type: string;
  source: string;
  /** Below the place that all are mounted on; empty for the place itself. */
  target?: string;
  options: string[];
}

/** `active` can be written and committed, `view` only read; a `committed` one can be a parent. */
export type Kind = "active" | "view" | "committed";

export interface SnapshotInfo {
  /** Key of an active snapshot or a view, name of a committed one. */
  name: string;
  /** Name of the committed snapshot below it, "" for none. */
  parent: string;
  kind: Kind;
  labels: Record<string, string>;
  createdAt: Date;
  updatedAt: Date;
}

/** What a snapshot takes on the disk without its parents. */
export interface Usage {
  /** Bytes in blocks; hard links count once. */
  size: number;
  inodes: number;
}

/**
 * containerd's snapshotter: layers of a file system, each on a committed one. Keys and names share one
 * space and are opaque. Every change is all there or not at all, also after SIGKILL at any moment.
 */
export interface Snapshotter {
  /** @throws NotFound */
  stat(key: string): Promise<SnapshotInfo>;
  /**
   * Changes labels. Without field paths they are replaced; else by `labels` or `labels.K`, where an
   * empty value removes.
   * @throws NotFound, InvalidArgument for a field that cannot be changed
   */
  update(info: Pick<SnapshotInfo, "name" | "labels">, fieldpaths?: readonly string[]): Promise<SnapshotInfo>;
  /** An active snapshot is measured now, a committed one was when it was committed; a view takes nothing. @throws NotFound */
  usage(key: string): Promise<Usage>;
  /** How to mount an active snapshot or a view. @throws NotFound, FailedPrecondition for a committed one */
  mounts(key: string): Promise<Mount[]>;
  /**
   * Makes a writable snapshot on `parent`, "" for an empty one.
   * @throws AlreadyExists, NotFound for the parent, InvalidArgument when that is not committed
   */
  prepare(key: string, parent: string, labels?: Record<string, string>): Promise<Mount[]>;
  /** Makes a snapshot that shows `parent` and can only be read. @throws as `prepare` */
  view(key: string, parent: string, labels?: Record<string, string>): Promise<Mount[]>;
  /**
   * Turns the active snapshot `key` into a committed one called `name`; its labels are those given.
   * @throws AlreadyExists, NotFound, FailedPrecondition for what is not active
   */
  commit(name: string, key: string, labels?: Record<string, string>): Promise<void>;
  /** Its space is freed in the background, see `cleanup`. @throws NotFound, FailedPrecondition while it has children */
  remove(key: string): Promise<void>;
  /** All of them, by name. @param filters on `kind`, `name`, `parent`, `labels.K` */
  list(filters?: readonly string[]): AsyncIterable<SnapshotInfo>;
  /** Frees the space of removed snapshots and of what a killed process left; done when all is gone. */
  cleanup(): Promise<void>;
  /** Resolves when the layers, too, for which nobody waited are on the disk; absent where everything always is. */
  flushed?(): Promise<void>;
}
