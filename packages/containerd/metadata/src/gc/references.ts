import type { Labels } from "../contract.ts";

/** An object that garbage collection knows: `content`, `images`, `containers`, `sandboxes`, `leases`, `ingests` or `snapshots/<snapshotter>`. */
export interface Node {
  namespace: string;
  type: string;
  /** Digest, name, id, ref or key. */
  id: string;
}

export function nodeKey({ namespace, type, id }: Node): string {
  return `${namespace}\0${type}\0${id}`;
}

export const rootLabel = "containerd.io/gc.root";
export const expireLabel = "containerd.io/gc.expire";
export const flatLabel = "containerd.io/gc.flat";
const forward = "containerd.io/gc.ref.";
const back = "containerd.io/gc.bref.";

/** What an object's labels keep (`gc.ref.…`). */
export function forwardReferences(namespace: string, labels: Labels): Node[] {
  return referencesWith(forward, namespace, labels);
}

/** What an object's labels live by (`gc.bref.…`): the object is kept while one of these is. */
export function backReferences(namespace: string, labels: Labels): Node[] {
  return referencesWith(back, namespace, labels);
}

function referencesWith(prefix: string, namespace: string, labels: Labels): Node[] {
  const nodes: Node[] = [];
  for (const [key, id] of Object.entries(labels)) {
    if (!key.startsWith(prefix)) continue;
    const type = typeOf(key.slice(prefix.length));
    if (type !== undefined) nodes.push({ namespace, type, id });
  }
  return nodes;
}

/** The type that `content`, `content.NAME`, `content/NAME`, `snapshot.<snapshotter>[/NAME]`, … speaks of. */
function typeOf(rest: string): string | undefined {
  const [, kind = "", tail = ""] = /^([a-z]+)((?:[./].*)?)$/s.exec(rest) ?? [];
  switch (kind) {
    case "content":
      return "content";
    case "image":
      return "images";
    case "container":
      return "containers";
    case "snapshot": {
      const [snapshotter] = tail.slice(1).split("/", 1);
      return tail.startsWith(".") && snapshotter ? `snapshots/${snapshotter}` : undefined;
    }
    default:
      return undefined;
  }
}

/** Whether the label says that the time is over. What is no time never ends. */
export function isExpired(labels: Labels, now: number): boolean {
  const value = labels[expireLabel];
  return value !== undefined && Date.parse(value) < now;
}
