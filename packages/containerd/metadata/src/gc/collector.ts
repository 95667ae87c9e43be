import { messageOf } from "@longshore/errdefs";
import { ImageDeleteSchema } from "@longshore/proto/containerd/services/images/v1/images";
import { SnapshotRemoveSchema } from "@longshore/proto/containerd/events/events";
import type { Environment } from "../environment.ts";
import { mark } from "./mark.ts";
import type { Node } from "./references.ts";
import { orphanedSnapshots, sweepContent, sweepRecords } from "./sweep.ts";

export interface Collected {
  /** Records, blobs, ingests and snapshots that went. */
  records: number;
  content: number;
  snapshots: number;
  durationMs: number;
}

/** Marks what is kept and removes the rest: first the records, then the files behind them. */
export class Collector {
  readonly #env: Environment;
  readonly #isDamaged: () => boolean;

  /** @param isDamaged whether records were set aside, of which nobody can say what they keep */
  constructor(env: Environment, isDamaged: () => boolean) {
    this.#env = env;
    this.#isDamaged = isDamaged;
  }

  /** One collection. Whatever stops it halfway, even SIGKILL, the next one finishes. */
  async collect(): Promise<Collected> {
    const started = Date.now();
    if (this.#isDamaged()) {
      this.#env.logger.warn(
        "records are set aside as damaged: nothing is collected until they are repaired or removed",
      );
      return { records: 0, content: 0, snapshots: 0, durationMs: 0 };
    }
    const { database, gate, snapshotters } = this.#env;
    const orphans = new Map<string, string[]>();
    const { gone, content } = await gate.alone(async () => {
      const swept = database.essential(() => sweepRecords(database, mark(database, Date.now())));
      // What is still recorded on the disk must not lose its files.
      await database.flushed();
      const removed = await sweepContent(this.#env);
      for (const [name, backend] of snapshotters) orphans.set(name, await orphanedSnapshots(database, name, backend));
      return { gone: swept, content: removed };
    });
    this.#announce(gone);
    // Backend keys are never used again, so nobody can come to need these: others need not wait.
    const snapshots = await this.#removeSnapshots(orphans);
    return { records: gone.length, content, snapshots, durationMs: Date.now() - started };
  }

  async #removeSnapshots(orphans: ReadonlyMap<string, readonly string[]>): Promise<number> {
    let removed = 0;
    for (const [name, keys] of orphans) {
      const backend = this.#env.snapshotters.get(name);
      if (backend === undefined) continue;
      for (const key of keys) {
        try {
          await backend.remove(key);
          removed++;
        } catch (error) {
          // A mount that lingers must not stop the others; the next collection tries again.
          this.#env.logger.warn({ snapshotter: name, key, error: messageOf(error) }, "snapshot could not be removed");
        }
      }
      if (keys.length > 0) await backend.cleanup();
    }
    return removed;
  }

  #announce(gone: readonly Node[]): void {
    for (const { namespace, type, id } of gone) {
      if (type === "images") this.#env.publisher.publish(namespace, "/images/delete", ImageDeleteSchema, { name: id });
      const [kind, snapshotter] = type.split("/");
      if (kind === "snapshots" && snapshotter !== undefined)
        this.#env.publisher.publish(namespace, "/snapshot/remove", SnapshotRemoveSchema, { key: id, snapshotter });
    }
  }
}
