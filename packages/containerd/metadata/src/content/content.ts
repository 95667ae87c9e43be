import { type Info, type Status, type Store, type Writer, type WriterOptions, checkDigest } from "@longshore/content";
import { AlreadyExists, InvalidArgument, NotFound, isKind } from "@longshore/errdefs";
import { parseAll } from "@longshore/filters";
import { ContentDeleteSchema } from "@longshore/proto/containerd/events/events";
import { date, integer, labels as labelsOf, text } from "../records/columns.ts";
import type { CallScope, Labels } from "../contract.ts";
import type { Row } from "../database/database.ts";
import { ScopedWriter } from "./content-writer.ts";
import { type Environment, allFlushed, ensureNamespace } from "../environment.ts";
import { labeledAdaptor } from "../records/filters.ts";
import { updateLabels, validateLabels } from "../records/labels.ts";
import { addToLease } from "../records/leases.ts";
import { forgetSetAside, readRows } from "../database/set-aside.ts";

/** Begins the labels by which a configuration keeps its image's topmost snapshot. */
const snapshotLabel = "containerd.io/gc.ref.snapshot.";

/** How long an ingest that no lease keeps may rest. */
const ingestLifeMs = 24 * 60 * 60 * 1000;

/** @throws DataLoss when the record cannot be read */
export function blobOf(row: Row): Info {
  return {
    digest: text(row, "digest"),
    size: integer(row, "size"),
    createdAt: date(row, "created_at"),
    updatedAt: date(row, "updated_at"),
    labels: labelsOf(row),
  };
}

/**
 * The blobs that one namespace sees. The files are shared by all namespaces: writing a blob whose
 * digest another namespace has already brought in takes no second copy.
 */
export class ScopedContent implements Store {
  readonly #env: Environment;
  readonly #scope: CallScope;

  constructor(env: Environment, scope: CallScope) {
    this.#env = env;
    this.#scope = scope;
  }

  async info(digest: string): Promise<Info> {
    checkDigest(digest);
    const row = this.#env.database.get(
      "SELECT * FROM blobs WHERE namespace = ? AND digest = ?",
      this.#scope.namespace,
      digest,
    );
    if (row === undefined) throw new NotFound(`content digest ${digest}: not found`);
    return blobOf(row);
  }

  async path(digest: string): Promise<string> {
    await this.info(digest);
    return this.#env.content.path(digest);
  }

  async *read(digest: string, offset?: number, size?: number): AsyncGenerator<Uint8Array> {
    await this.info(digest);
    yield* this.#env.content.read(digest, offset, size);
  }

  async *list(filters: readonly string[] = []): AsyncGenerator<Info> {
    const filter = parseAll(filters);
    const rows = this.#env.database.all(
      "SELECT * FROM blobs WHERE namespace = ? ORDER BY digest",
      this.#scope.namespace,
    );
    for (const info of readRows(this.#env, "blobs", rows, blobOf)) {
      if (filter(labeledAdaptor("digest", info.digest, info.labels))) yield info;
    }
  }

  async update(
    { digest, labels }: { digest: string; labels: Labels },
    fieldpaths: readonly string[] = [],
  ): Promise<Info> {
    const current = await this.info(digest);
    const info: Info = {
      ...current,
      labels: updateLabels(current.labels, labels, fieldpaths, `content info "${digest}"`),
      updatedAt: new Date(),
    };
    validateLabels(info.labels, "info.Labels");
    this.#env.database.run(
      "UPDATE blobs SET labels = ?, updated_at = ? WHERE namespace = ? AND digest = ?",
      JSON.stringify(info.labels),
      info.updatedAt.getTime(),
      this.#scope.namespace,
      digest,
    );
    // The last step of unpacking an image: whoever is told so has all its layers.
    if (Object.keys(labels).some((key) => key.startsWith(snapshotLabel))) await allFlushed(this.#env);
    this.#env.onMutation();
    return info;
  }

  async delete(digest: string): Promise<void> {
    checkDigest(digest);
    const { database, publisher, onDeletion } = this.#env;
    const { namespace } = this.#scope;
    const deleted = database.essential(() =>
      database.run("DELETE FROM blobs WHERE namespace = ? AND digest = ?", namespace, digest),
    );
    if (deleted === 0 && !forgetSetAside(database, "blobs", { namespace, digest }))
      throw new NotFound(`content digest ${digest}: not found`);
    await database.flushed();
    publisher.publish(namespace, "/content/delete", ContentDeleteSchema, { digest });
    onDeletion();
  }

  async writer(options: WriterOptions): Promise<Writer> {
    const { ref, size = 0, expected = "" } = options;
    if (ref === "") throw new InvalidArgument("ref must not be empty: invalid argument");
    if (expected !== "") checkDigest(expected);
    return this.#env.gate.pass(async () => {
      const shared = await this.#shared(expected, size);
      const backendRef = this.#register(ref, expected, shared !== undefined);
      const open = (): Promise<Writer> => this.#env.content.writer({ ref: backendRef, size });
      const origin = shared ?? (await open());
      return new ScopedWriter({ env: this.#env, scope: this.#scope, ref, expected, origin, open });
    });
  }

  /** The blob of another namespace that makes writing needless; one of another size is left for commit to refuse. */
  async #shared(expected: string, size: number): Promise<Info | undefined> {
    if (expected === "") return undefined;
    try {
      const info = await this.#env.content.info(expected);
      return size === 0 || size === info.size ? info : undefined;
    } catch (error) {
      if (isKind(error, "NotFound")) return undefined;
      throw error;
    }
  }

  /** @returns the ref under which the backend knows the ingest */
  #register(ref: string, expected: string, shared: boolean): string {
    const { database } = this.#env;
    const { namespace, lease } = this.#scope;
    return database.transaction(() => {
      if (
        expected !== "" &&
        database.get("SELECT 1 FROM blobs WHERE namespace = ? AND digest = ?", namespace, expected) !== undefined
      ) {
        throw new AlreadyExists(`content ${expected}: already exists`);
      }
      ensureNamespace(database, namespace);
      addToLease(database, namespace, lease, { type: "ingests", id: ref });
      const known = database.get("SELECT backend_ref FROM ingests WHERE namespace = ? AND ref = ?", namespace, ref);
      const backendRef = known === undefined ? `${namespace}/${database.next()}/${ref}` : text(known, "backend_ref");
      database.run(
        "INSERT OR REPLACE INTO ingests (namespace, ref, backend_ref, expected, expires_at) VALUES (?, ?, ?, ?, ?)",
        namespace,
        ref,
        backendRef,
        shared ? expected : "",
        lease === undefined ? Date.now() + ingestLifeMs : null,
      );
      return backendRef;
    });
  }

  async status(ref: string): Promise<Status> {
    const row = this.#env.database.get(
      "SELECT backend_ref FROM ingests WHERE namespace = ? AND ref = ?",
      this.#scope.namespace,
      ref,
    );
    if (row === undefined) throw new NotFound(`reference ${ref}: not found`);
    try {
      return { ...(await this.#env.content.status(text(row, "backend_ref"))), ref };
    } catch (error) {
      if (isKind(error, "NotFound")) throw new NotFound(`reference ${ref}: not found`, { cause: error });
      throw error;
    }
  }

  async listStatuses(filters: readonly string[] = []): Promise<Status[]> {
    const filter = parseAll(filters);
    const statuses: Status[] = [];
    for (const row of this.#env.database.all(
      "SELECT ref FROM ingests WHERE namespace = ? ORDER BY ref",
      this.#scope.namespace,
    )) {
      const ref = text(row, "ref");
      if (!filter(labeledAdaptor("ref", ref, {}))) continue;
      try {
        statuses.push(await this.status(ref));
      } catch (error) {
        // Committed or aborted meanwhile, or a shared blob that needs no data.
        if (!isKind(error, "NotFound")) throw error;
      }
    }
    return statuses;
  }

  async abort(ref: string): Promise<void> {
    const { database, content, gate } = this.#env;
    const { namespace } = this.#scope;
    await gate.pass(async () => {
      const row = database.get("SELECT backend_ref FROM ingests WHERE namespace = ? AND ref = ?", namespace, ref);
      if (row === undefined) throw new NotFound(`reference ${ref}: not found`);
      try {
        await content.abort(text(row, "backend_ref"));
      } catch (error) {
        if (!isKind(error, "NotFound")) throw error;
      }
      database.essential(() => {
        database.run("DELETE FROM ingests WHERE namespace = ? AND ref = ?", namespace, ref);
        database.run("DELETE FROM lease_resources WHERE namespace = ? AND type = 'ingests' AND id = ?", namespace, ref);
      });
    });
  }
}
