import { labels as labelsOf, text } from "../records/columns.ts";
import type { Labels } from "../contract.ts";
import type { Database, Row } from "../database/database.ts";
import {
  type Node,
  backReferences,
  expireLabel,
  flatLabel,
  forwardReferences,
  isExpired,
  nodeKey,
  rootLabel,
} from "./references.ts";

/** The objects of all namespaces, what each keeps, and which are kept for their own sake. */
class Graph {
  readonly #edges = new Map<string, Node[]>();
  readonly roots: Node[] = [];
  /** Kept themselves, but not what they refer to. */
  readonly flatRoots: Node[] = [];

  connect(from: Node, to: readonly Node[]): void {
    const key = nodeKey(from);
    const edges = this.#edges.get(key);
    if (edges === undefined) this.#edges.set(key, [...to]);
    else edges.push(...to);
  }

  /** An object with its labels. */
  add(node: Node, labels: Labels): void {
    this.connect(node, forwardReferences(node.namespace, labels));
    for (const target of backReferences(node.namespace, labels)) this.connect(target, [node]);
  }

  /** The keys of all that is kept. */
  reach(): Set<string> {
    const reached = new Set(this.roots.map(nodeKey));
    const pending = [...this.roots];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      for (const next of this.#edges.get(nodeKey(node)) ?? []) {
        const key = nodeKey(next);
        if (reached.has(key)) continue;
        reached.add(key);
        pending.push(next);
      }
    }
    for (const node of this.flatRoots) reached.add(nodeKey(node));
    return reached;
  }
}

/** What is kept, as node keys. Part of the caller's transaction. @param now milliseconds since 1970 */
export function mark(database: Database, now: number): Set<string> {
  const graph = new Graph();
  addImages(database, graph, now);
  addContainers(database, graph);
  addSandboxes(database, graph);
  addBlobs(database, graph, now);
  addSnapshots(database, graph, now);
  addIngests(database, graph, now);
  addLeases(database, graph, now);
  return graph.reach();
}

function nodeOf(row: Row, type: string, column: string): Node {
  return { namespace: text(row, "namespace"), type, id: text(row, column) };
}

function addImages(database: Database, graph: Graph, now: number): void {
  for (const row of database.all("SELECT namespace, name, digest, labels FROM images")) {
    const node = nodeOf(row, "images", "name");
    const labels = labelsOf(row);
    graph.add(node, labels);
    graph.connect(node, [nodeOf(row, "content", "digest")]);
    if (!isExpired(labels, now)) graph.roots.push(node);
  }
}

function addContainers(database: Database, graph: Graph): void {
  for (const row of database.all("SELECT namespace, id, labels, snapshotter, snapshot_key FROM containers")) {
    const node = nodeOf(row, "containers", "id");
    graph.add(node, labelsOf(row));
    graph.connect(node, [nodeOf(row, `snapshots/${text(row, "snapshotter")}`, "snapshot_key")]);
    graph.roots.push(node);
  }
}

function addSandboxes(database: Database, graph: Graph): void {
  for (const row of database.all("SELECT namespace, id, labels FROM sandboxes")) {
    const node = nodeOf(row, "sandboxes", "id");
    graph.add(node, labelsOf(row));
    graph.roots.push(node);
  }
}

function isRoot(labels: Labels, now: number): boolean {
  return Boolean(labels[rootLabel]) || (labels[expireLabel] !== undefined && !isExpired(labels, now));
}

function addBlobs(database: Database, graph: Graph, now: number): void {
  for (const row of database.all("SELECT namespace, digest, labels FROM blobs")) {
    const node = nodeOf(row, "content", "digest");
    const labels = labelsOf(row);
    graph.add(node, labels);
    if (isRoot(labels, now)) graph.roots.push(node);
  }
}

function addSnapshots(database: Database, graph: Graph, now: number): void {
  for (const row of database.all("SELECT namespace, snapshotter, key, parent, labels FROM snapshots")) {
    const type = `snapshots/${text(row, "snapshotter")}`;
    const node = nodeOf(row, type, "key");
    const labels = labelsOf(row);
    graph.add(node, labels);
    if (row["parent"] !== "") graph.connect(node, [nodeOf(row, type, "parent")]);
    if (isRoot(labels, now)) graph.roots.push(node);
  }
}

function addIngests(database: Database, graph: Graph, now: number): void {
  for (const row of database.all("SELECT namespace, ref, expected FROM ingests WHERE expires_at >= ?", now))
    graph.roots.push(nodeOf(row, "ingests", "ref"));
  for (const row of database.all("SELECT namespace, ref, expected FROM ingests WHERE expected != ''")) {
    graph.connect(nodeOf(row, "ingests", "ref"), [nodeOf(row, "content", "expected")]);
  }
}

function addLeases(database: Database, graph: Graph, now: number): void {
  for (const row of database.all("SELECT namespace, id, labels FROM leases")) {
    const node = nodeOf(row, "leases", "id");
    const labels = labelsOf(row);
    if (isExpired(labels, now)) continue;
    graph.add(node, labels);
    graph.roots.push(node);
    const resources = database.all(
      "SELECT namespace, type, id FROM lease_resources WHERE namespace = ? AND lease = ?",
      node.namespace,
      node.id,
    );
    const kept = resources.map((resource) => nodeOf(resource, text(resource, "type"), "id"));
    if (labels[flatLabel] === undefined) graph.connect(node, kept);
    else graph.flatRoots.push(...kept);
  }
}
