import { chmodSync, chownSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { FailedPrecondition, InvalidArgument } from "@longshore/errdefs";
import { mapField, parseAll } from "@longshore/filters";
import { type Logger, silent } from "@longshore/logger";
import { databasesSetAside } from "@longshore/sqlite";
import type { Mount, SnapshotInfo, Snapshotter, Usage } from "./contract.ts";
import { Durability, currentBoot, withoutMark } from "./durability.ts";
import { changedLabels } from "./labels.ts";
import { giveUpLost, openSalvaging, repair } from "./damage.ts";
import type { SnapshotMetadata, StoredSnapshot } from "./metadata.ts";
import { Removal } from "./removal.ts";
import { checkOverlaySupport, supportsIndex } from "./supported.ts";
import { diskUsage } from "./usage.ts";

export interface OverlayfsOptions {
  /** Holds `metadata.db` and `snapshots/<n>/{fs,work}`; made when missing. */
  root: string;
  logger?: Logger;
  /** Tells this boot of the machine from others; default: the kernel's. */
  boot?: string;
}

/**
 * Snapshots on overlayfs, in containerd's layout. A folder is made under a temporary name, renamed
 * inside the transaction that records it, and deleted after the one that forgets it: a process that is
 * killed leaves at most folders without a record, which the next start deletes.
 */
export class OverlayfsSnapshotter implements Snapshotter {
  readonly root: string;
  readonly #folder: string;
  readonly #metadata: SnapshotMetadata;
  readonly #removal: Removal;
  readonly #durability: Durability;
  readonly #options: readonly string[];
  readonly #lost: readonly string[];

  /** @throws FailedPrecondition when the kernel or the file system cannot do overlayfs */
  constructor({ root, logger = silent, boot = currentBoot() }: OverlayfsOptions) {
    this.root = resolve(root);
    this.#folder = join(this.root, "snapshots");
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    checkOverlaySupport(this.root);
    this.#metadata = openSalvaging(this.#database, this.#folder, logger);
    const repaired = repair(this.#metadata, logger);
    this.#durability = new Durability(this.#metadata, this.#folder, boot, logger);
    this.#lost = [...repaired, ...giveUpLost(this.#metadata, this.#folder, logger)];
    this.#options = supportsIndex() ? ["index=off"] : [];
    this.#removal = new Removal(this.#folder, logger);
    this.#sweep();
  }

  get #database(): string {
    return join(this.root, "metadata.db");
  }

  /** After records were lost a folder without one may hold what a container has written: it stays. */
  #sweep(): void {
    this.#removal.sweep(this.#metadata.ids(), databasesSetAside(this.#database).length > 0);
  }

  /** What was found damaged and set aside, in words. */
  damage(): string[] {
    return [
      ...databasesSetAside(this.#database).map(
        (path) => `the database of snapshots was damaged and set aside as ${path}`,
      ),
      ...this.#lost,
    ];
  }

  async stat(key: string): Promise<SnapshotInfo> {
    return infoOf(this.#metadata.get(key));
  }

  async update(info: Pick<SnapshotInfo, "name" | "labels">, fieldpaths: readonly string[] = []): Promise<SnapshotInfo> {
    const updated = this.#metadata.transaction(() => {
      const { labels } = this.#metadata.get(info.name);
      this.#metadata.setLabels(
        info.name,
        this.#durability.keepMark(changedLabels(info, withoutMark(labels), fieldpaths), labels),
      );
      return infoOf(this.#metadata.get(info.name));
    });
    await this.#metadata.flushed();
    return updated;
  }

  async usage(key: string): Promise<Usage> {
    const snapshot = this.#metadata.get(key);
    return snapshot.kind === "active" ? diskUsage(this.#upper(snapshot.id)) : snapshot.usage;
  }

  async mounts(key: string): Promise<Mount[]> {
    const snapshot = this.#metadata.get(key);
    if (snapshot.kind === "committed") {
      throw new FailedPrecondition(
        `failed to get active mount: requested snapshot ${key} not active or view: failed precondition`,
      );
    }
    return this.#mountsOf(snapshot);
  }

  async prepare(key: string, parent: string, labels: Record<string, string> = {}): Promise<Mount[]> {
    await this.#durability.settle(key, parent);
    const mounts = this.#create(key, parent, "active", labels);
    if (!isLayer(labels)) await this.#metadata.flushed();
    return mounts;
  }

  async view(key: string, parent: string, labels: Record<string, string> = {}): Promise<Mount[]> {
    const mounts = this.#create(key, parent, "view", labels);
    await this.#metadata.flushed();
    return mounts;
  }

  async commit(name: string, key: string, labels: Record<string, string> = {}): Promise<void> {
    const active = this.#metadata.get(key);
    const usage = active.kind === "active" ? await diskUsage(this.#upper(active.id)) : active.usage;
    this.#metadata.transaction(() => this.#metadata.commit(name, key, usage, this.#durability.mark(labels, key)));
    this.#durability.committed(active.id, key);
    if (!isLayer(active.labels)) await this.#metadata.flushed();
  }

  async remove(key: string): Promise<void> {
    const { id } = this.#metadata.essential(() => this.#metadata.remove(key));
    // A record without its folder would be taken for damage.
    await this.#metadata.flushed();
    this.#removal.remove(id);
  }

  async *list(filters: readonly string[] = []): AsyncGenerator<SnapshotInfo> {
    const wanted = parseAll(filters);
    for (const snapshot of this.#metadata.list()) {
      const { name, parent, kind } = snapshot;
      const labels = withoutMark(snapshot.labels);
      const matches = wanted(([field, ...rest]) => {
        if (field === "labels") return mapField(labels, rest);
        return rest.length === 0 ? { name, parent, kind }[field ?? ""] : undefined;
      });
      if (matches) yield infoOf(snapshot);
    }
  }

  async cleanup(): Promise<void> {
    this.#sweep();
    await this.#removal.settled();
  }

  flushed(): Promise<void> {
    return this.#metadata.flushed();
  }

  /** Waits for what is being deleted, brings all to the disk and closes the database. */
  async close(): Promise<void> {
    await this.#removal.settled();
    await this.#durability.sync();
    this.#metadata.close();
  }

  #create(key: string, parent: string, kind: "active" | "view", labels: Record<string, string>): Mount[] {
    if (key === "") throw new InvalidArgument("failed to create snapshot: key is empty: invalid argument");
    const folder = mkdtempSync(join(this.#folder, "new-"));
    let final = folder;
    try {
      mkdirSync(join(folder, "fs"));
      chmodSync(join(folder, "fs"), 0o755);
      if (kind === "active") mkdirSync(join(folder, "work"), { mode: 0o711 });
      const snapshot = this.#metadata.transaction(() => {
        const created = this.#metadata.create(key, parent, kind, labels);
        const [below] = this.#metadata.parentIds(created.id);
        if (below !== undefined) copyOwner(this.#upper(below), join(folder, "fs"));
        // Last but for the commit itself: without a record the folder is garbage.
        renameSync(folder, join(this.#folder, String(created.id)));
        final = join(this.#folder, String(created.id));
        return created;
      });
      return this.#mountsOf(snapshot);
    } catch (error) {
      rmSync(final, { recursive: true, force: true });
      throw error;
    }
  }

  #mountsOf({ id, kind }: StoredSnapshot): Mount[] {
    const parents = this.#metadata.parentIds(id).map((parent) => this.#upper(parent));
    const [below] = parents;
    if (below === undefined)
      return [{ type: "bind", source: this.#upper(id), options: [kind === "view" ? "ro" : "rw", "rbind"] }];
    if (kind === "view" && parents.length === 1) return [{ type: "bind", source: below, options: ["ro", "rbind"] }];
    const options: string[] = [];
    if (kind === "active")
      options.push(`workdir=${join(this.#folder, String(id), "work")}`, `upperdir=${this.#upper(id)}`);
    options.push(`lowerdir=${parents.join(":")}`, ...this.#options);
    return [{ type: "overlay", source: "overlay", options }];
  }

  #upper(id: number): string {
    return join(this.#folder, String(id), "fs");
  }
}

/**
 * Whether a snapshot is being filled with an image's layer. It can be unpacked again, so nobody waits for the
 * disk; what is made on top of it waits, and comes to the disk after it.
 */
function isLayer(labels: Record<string, string>): boolean {
  return labels["containerd.io/snapshot.ref"] !== undefined;
}

/** The top folder of a merged tree is the upper one: it belongs to the owner of that below it. Its mode is always the same. */
function copyOwner(from: string, to: string): void {
  const { uid, gid } = statSync(from);
  chownSync(to, uid, gid);
}

function infoOf({ name, parent, kind, labels, createdAt, updatedAt }: StoredSnapshot): SnapshotInfo {
  return { name, parent, kind, labels: withoutMark(labels), createdAt, updatedAt };
}
