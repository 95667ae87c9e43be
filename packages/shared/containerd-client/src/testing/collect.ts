import type { Labels, Store } from "./store.ts";

const forward = "containerd.io/gc.ref.";

/** Keys `<type>\0<id>` of what an object's labels keep. */
function* references(labels: Labels): Generator<string> {
  for (const [key, id] of Object.entries(labels)) {
    if (!key.startsWith(forward)) continue;
    const [, kind = "", rest = ""] = /^([a-z]+)(?:[./](.*))?$/s.exec(key.slice(forward.length)) ?? [];
    if (kind === "content") yield `content\0${id}`;
    else if (kind === "image") yield `images\0${id}`;
    else if (kind === "snapshot") yield `snapshots/${rest.split("/", 1)[0]}\0${id}`;
  }
}

function* roots(store: Store): Generator<string> {
  for (const { resources } of store.leases.values()) yield* resources;
  for (const name of store.images.keys()) yield `images\0${name}`;
  for (const { snapshotter, snapshotKey, labels } of store.containers.values()) {
    yield `snapshots/${snapshotter}\0${snapshotKey}`;
    yield* references(labels);
  }
  for (const [digest, { labels }] of store.blobs) if ("containerd.io/gc.root" in labels) yield `content\0${digest}`;
  for (const [snapshotter, all] of store.snapshotters)
    for (const [key, { labels }] of all)
      if ("containerd.io/gc.root" in labels) yield `snapshots/${snapshotter}\0${key}`;
}

function* below(store: Store, key: string): Generator<string> {
  const [type = "", id = ""] = key.split("\0");
  if (type === "images") {
    const image = store.images.get(id);
    if (image?.target !== undefined) yield `content\0${image.target.digest}`;
    yield* references(image?.labels ?? {});
  } else if (type === "content") yield* references(store.blobs.get(id)?.labels ?? {});
  else {
    const snapshot = store.snapshots(type.slice("snapshots/".length)).get(id);
    if (snapshot?.parent) yield `${type}\0${snapshot.parent}`;
    yield* references(snapshot?.labels ?? {});
  }
}

/** Removes the blobs and snapshots of a namespace that neither a lease nor an image nor a container leads to. */
export function collectGarbage(store: Store): void {
  const kept = new Set(roots(store));
  // A set's iteration also comes to what is added meanwhile.
  for (const key of kept) for (const next of below(store, key)) kept.add(next);
  for (const digest of store.blobs.keys()) if (!kept.has(`content\0${digest}`)) store.blobs.delete(digest);
  for (const [snapshotter, all] of store.snapshotters)
    for (const key of all.keys()) if (!kept.has(`snapshots/${snapshotter}\0${key}`)) all.delete(key);
}
