import { isKind, messageOf } from "@longshore/errdefs";
import { text } from "../records/columns.ts";
import type { Snapshotter } from "../contract.ts";
import type { Database, Row } from "../database/database.ts";
import type { Environment } from "../environment.ts";
import { type Node, nodeKey } from "./references.ts";

/** The records that nothing keeps, taken away. Part of the caller's transaction. @returns what went */
export function sweepRecords(database: Database, kept: ReadonlySet<string>): Node[] {
  const gone: Node[] = [];
  const sweep = (
    query: string,
    type: (row: Row) => string,
    column: string,
    remove: (node: Node, row: Row) => void,
  ): void => {
    for (const row of database.all(query)) {
      const node = { namespace: text(row, "namespace"), type: type(row), id: text(row, column) };
      if (kept.has(nodeKey(node))) continue;
      remove(node, row);
      gone.push(node);
    }
  };
  const by =
    (table: string, column: string) =>
    ({ namespace, id }: Node): void =>
      void database.run(`DELETE FROM ${table} WHERE namespace = ? AND ${column} = ?`, namespace, id);
  sweep("SELECT namespace, name FROM images", () => "images", "name", by("images", "name"));
  sweep("SELECT namespace, id FROM leases", () => "leases", "id", by("leases", "id"));
  sweep("SELECT namespace, ref FROM ingests", () => "ingests", "ref", by("ingests", "ref"));
  sweep("SELECT namespace, digest FROM blobs", () => "content", "digest", by("blobs", "digest"));
  sweep(
    "SELECT namespace, snapshotter, key FROM snapshots",
    (row) => `snapshots/${text(row, "snapshotter")}`,
    "key",
    ({ namespace, id }, row) =>
      void database.run(
        "DELETE FROM snapshots WHERE namespace = ? AND snapshotter = ? AND key = ?",
        namespace,
        text(row, "snapshotter"),
        id,
      ),
  );
  return gone;
}

/** Removes blobs and ingests that no namespace has a record of. @returns how many went */
export async function sweepContent({ database, content, logger }: Environment): Promise<number> {
  const digests = new Set(
    database.all("SELECT digest FROM blobs UNION SELECT expected FROM ingests").map((row) => text(row, "digest")),
  );
  const refs = new Set(database.all("SELECT backend_ref FROM ingests").map((row) => text(row, "backend_ref")));
  let gone = 0;
  for await (const { digest } of content.list()) {
    if (digests.has(digest)) continue;
    await content.delete(digest);
    gone++;
  }
  for (const { ref } of await content.listStatuses()) {
    if (refs.has(ref)) continue;
    try {
      await content.abort(ref);
      gone++;
    } catch (error) {
      // Its writer goes on for a while; the next collection finds the rest.
      if (!isKind(error, "Unavailable") && !isKind(error, "NotFound")) throw error;
      logger.debug({ ref, error: messageOf(error) }, "ingest without a record is still held");
    }
  }
  return gone;
}

/** The backend's snapshots that no namespace has a record of, children before parents. */
export async function orphanedSnapshots(database: Database, name: string, backend: Snapshotter): Promise<string[]> {
  const known = new Set(
    database
      .all("SELECT backend_key FROM snapshots WHERE snapshotter = ?", name)
      .map((row) => text(row, "backend_key")),
  );
  const parents = new Map<string, string>();
  for await (const info of backend.list()) if (!known.has(info.name)) parents.set(info.name, info.parent);
  const depth = (key: string): number => {
    let steps = 0;
    for (let parent = parents.get(key); parent !== undefined; parent = parents.get(parent)) steps++;
    return steps;
  };
  return [...parents.keys()]
    .map((key) => ({ key, depth: depth(key) }))
    .sort((a, b) => b.depth - a.depth)
    .map(({ key }) => key);
}
