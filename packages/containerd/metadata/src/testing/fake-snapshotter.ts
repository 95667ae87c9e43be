import { AlreadyExists, FailedPrecondition, NotFound } from "@longshore/errdefs";
import type { Labels, Mount, SnapshotInfo, Snapshotter } from "../contract.ts";

/** A snapshotter without files, for tests of what lies above one. */
export class FakeSnapshotter implements Snapshotter {
  readonly held = new Map<string, SnapshotInfo>();

  async stat(key: string): Promise<SnapshotInfo> {
    const info = this.held.get(key);
    if (info === undefined) throw new NotFound(`snapshot ${key} does not exist: not found`);
    return info;
  }

  async update({ name, labels }: { name: string; labels: Labels }): Promise<SnapshotInfo> {
    const info = { ...(await this.stat(name)), labels };
    this.held.set(name, info);
    return info;
  }

  async usage(key: string): Promise<{ size: number; inodes: number }> {
    await this.stat(key);
    return { size: 1, inodes: 1 };
  }

  async mounts(key: string): Promise<Mount[]> {
    await this.stat(key);
    return [{ type: "bind", source: `/${key}`, options: [] }];
  }

  prepare(key: string, parent: string, labels: Labels = {}): Promise<Mount[]> {
    return this.#create(key, parent, labels, "active");
  }

  view(key: string, parent: string, labels: Labels = {}): Promise<Mount[]> {
    return this.#create(key, parent, labels, "view");
  }

  async #create(key: string, parent: string, labels: Labels, kind: SnapshotInfo["kind"]): Promise<Mount[]> {
    if (this.held.has(key)) throw new AlreadyExists(`snapshot ${key}: already exists`);
    if (parent !== "") await this.stat(parent);
    this.held.set(key, { name: key, parent, kind, labels, createdAt: new Date(), updatedAt: new Date() });
    return this.mounts(key);
  }

  async commit(name: string, key: string, labels: Labels = {}): Promise<void> {
    const info = await this.stat(key);
    if (info.kind !== "active") throw new FailedPrecondition(`snapshot ${key} is not active: failed precondition`);
    this.held.delete(key);
    this.held.set(name, { ...info, name, kind: "committed", labels });
  }

  async remove(key: string): Promise<void> {
    await this.stat(key);
    for (const { parent } of this.held.values())
      if (parent === key) throw new FailedPrecondition("cannot remove snapshot with child: failed precondition");
    this.held.delete(key);
  }

  async *list(): AsyncGenerator<SnapshotInfo> {
    yield* [...this.held.values()];
  }

  async cleanup(): Promise<void> {
    // There is nothing on disk.
  }
}
