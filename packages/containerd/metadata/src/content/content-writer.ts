import type { Info, Status, Writer } from "@longshore/content";
import { AlreadyExists, FailedPrecondition, isKind } from "@longshore/errdefs";
import { ContentCreateSchema } from "@longshore/proto/containerd/events/events";
import type { CallScope, Labels } from "../contract.ts";
import type { Environment } from "../environment.ts";
import { validateLabels } from "../records/labels.ts";
import { addToLease } from "../records/leases.ts";

export interface ScopedWriterOptions {
  env: Environment;
  scope: CallScope;
  ref: string;
  expected: string;
  /** The backend's writer; or the blob of another namespace, which needs no writing. */
  origin: Writer | Info;
  /** Opens the backend's writer after all. */
  open: () => Promise<Writer>;
}

/** Writes one ingest of a namespace; its commit makes the blob visible there. */
export class ScopedWriter implements Writer {
  readonly #options: ScopedWriterOptions;
  readonly #startedAt = new Date();
  #origin: Writer | Info;
  #closed = false;

  constructor(options: ScopedWriterOptions) {
    this.#options = options;
    this.#origin = options.origin;
  }

  status(): Status {
    const { ref, expected } = this.#options;
    if (isWriter(this.#origin)) return { ...this.#origin.status(), ref, expected };
    const { size } = this.#origin;
    return { ref, expected, offset: size, total: size, startedAt: this.#startedAt, updatedAt: this.#startedAt };
  }

  digest(): string {
    return isWriter(this.#origin) ? this.#origin.digest() : this.#origin.digest;
  }

  async write(data: Uint8Array): Promise<void> {
    await (await this.#writer(true)).write(data);
  }

  async reset(): Promise<void> {
    await (await this.#writer(false)).reset();
  }

  /** The backend's writer; if the blob was shared, it is opened and, to append to it, filled with the blob. */
  async #writer(filled: boolean): Promise<Writer> {
    if (isWriter(this.#origin)) return this.#origin;
    if (this.#closed) throw closed(this.#options.ref);
    const { digest } = this.#origin;
    const writer = await this.#options.open();
    if (writer.status().offset > 0) await writer.reset();
    if (filled) for await (const chunk of this.#options.env.content.read(digest)) await writer.write(chunk);
    this.#origin = writer;
    return writer;
  }

  async commit(size: number, expected: string, labels: Labels = {}): Promise<string> {
    validateLabels(labels, "info.Labels");
    return this.#options.env.gate.pass(async () => {
      if (this.#closed) throw closed(this.#options.ref);
      this.#checkLease();
      const held = this.status().offset;
      if (size > 0 && size !== held) {
        await this.close();
        throw new FailedPrecondition(
          `"${this.#options.ref}" failed size validation: ${held} != ${size}: failed precondition`,
        );
      }
      this.#closed = true;
      const digest = await this.#publish(held, expected);
      await this.#record(digest, held, labels);
      return digest;
    });
  }

  /** Makes the backend hold the blob. */
  async #publish(held: number, expected: string): Promise<string> {
    const digest = this.digest();
    if (!isWriter(this.#origin)) {
      if (expected === "" || expected === digest) return digest;
      throw new FailedPrecondition(`"${this.#options.ref}" unexpected digest: failed precondition`);
    }
    try {
      return await this.#origin.commit(held, expected);
    } catch (error) {
      if (isKind(error, "AlreadyExists")) return digest;
      throw error;
    }
  }

  async #record(digest: string, size: number, labels: Labels): Promise<void> {
    const { env, scope } = this.#options;
    const { database, publisher, onMutation } = env;
    const now = Date.now();
    const kept = JSON.stringify(Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== "")));
    const made = database.transaction(() => {
      this.#forgetIngest();
      addToLease(database, scope.namespace, scope.lease, { type: "content", id: digest });
      return database.run(
        "INSERT OR IGNORE INTO blobs (namespace, digest, size, labels, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)",
        scope.namespace,
        digest,
        size,
        kept,
        now,
        now,
      );
    });
    if (made === 0) throw new AlreadyExists(`content ${digest}: already exists`);
    await database.flushed();
    publisher.publish(scope.namespace, "/content/create", ContentCreateSchema, { digest, size: BigInt(size) });
    onMutation();
  }

  /** A lease that is gone is found out before anything is published. */
  #checkLease(): void {
    const { env, scope, ref } = this.#options;
    env.database.transaction(() =>
      addToLease(env.database, scope.namespace, scope.lease, { type: "ingests", id: ref }),
    );
  }

  #forgetIngest(): void {
    const { env, scope, ref } = this.#options;
    env.database.essential(() => {
      env.database.run("DELETE FROM ingests WHERE namespace = ? AND ref = ?", scope.namespace, ref);
      env.database.run(
        "DELETE FROM lease_resources WHERE namespace = ? AND type = 'ingests' AND id = ?",
        scope.namespace,
        ref,
      );
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (isWriter(this.#origin)) await this.#origin.close();
  }
}

function isWriter(origin: Writer | Info): origin is Writer {
  return "commit" in origin;
}

function closed(ref: string): FailedPrecondition {
  return new FailedPrecondition(`cannot commit on closed writer of ${ref}: failed precondition`);
}
