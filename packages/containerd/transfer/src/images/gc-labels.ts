import type { Store } from "@longshore/content";
import { type Descriptor, type Index, type Manifest, isIndex } from "@longshore/oci";
import type { Reference } from "@longshore/reference";

/** Labels by which an index keeps its manifests from the garbage collector. */
export function indexLabels(index: Index): Record<string, string> {
  const kinds = new Map<string, number>();
  return Object.fromEntries(
    index.manifests.map((child) => {
      const prefix = `containerd.io/gc.ref.content${isIndex(child) ? "" : ".m"}`;
      const position = kinds.get(prefix) ?? 0;
      kinds.set(prefix, position + 1);
      return [`${prefix}.${position}`, child.digest];
    }),
  );
}

/** Labels by which a manifest keeps its configuration and layers. */
export function manifestLabels(manifest: Manifest): Record<string, string> {
  const layers = manifest.layers.map(({ digest }, position) => [`containerd.io/gc.ref.content.l.${position}`, digest]);
  return {
    "containerd.io/gc.ref.content.config": manifest.config.digest,
    ...(Object.fromEntries(layers) as Record<string, string>),
  };
}

/** Sets some labels of a blob and leaves its others alone. */
export async function addLabels(
  content: Store,
  digest: string,
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  const paths = Object.keys(labels).map((key) => `labels.${key}`);
  if (paths.length > 0) await content.update({ digest, labels: { ...labels } }, paths);
}

/** The label that tells from which repositories of a registry a blob came; the host goes without its port. */
export function sourceLabelKey(reference: Reference): string {
  return `containerd.io/distribution.source.${reference.domain.replace(/:\d+$/, "")}`;
}

/** Adds a repository to a blob's source label. */
export async function addSource(content: Store, descriptor: Descriptor, reference: Reference): Promise<void> {
  const key = sourceLabelKey(reference);
  const { labels } = await content.info(descriptor.digest);
  const known = labels[key]?.split(",") ?? [];
  if (known.includes(reference.path)) return;
  const value = [...known, reference.path].toSorted().join(",");
  // What would not fit into a label is not worth failing for: it only saves an upload.
  if (key.length + value.length <= 4096) await addLabels(content, descriptor.digest, { [key]: value });
}
