import { type Descriptor, type Index, type Manifest, mediaTypes } from "@longshore/oci";
import { familiarName, familiarString, parseNormalized } from "@longshore/reference";
import { byteString, paddingOf } from "../tar/header.ts";
import { encodeEntry, encodeHeader, endOfArchive, tarHeader } from "../tar/writer.ts";
import type { BlobReader } from "./blobs.ts";
import { type DockerManifest, imageNameAnnotation } from "./documents.ts";
import { type Selection, selectImage } from "./select.ts";

export interface WriteOptions extends Selection {
  /** Leave out Docker's `manifest.json` and `repositories`. */
  skipCompatibilityManifest: boolean;
}

const blobPath = (digest: string): string => `blobs/${digest.replace(":", "/")}`;

/**
 * Writes images as `docker save` does: an OCI layout with Docker's own documents beside it. The same
 * images always give the same bytes.
 * @param images manifests or indexes, named by `io.containerd.image.name` in their annotations
 * @throws NotFound before anything is written
 */
export async function* writeImages(
  images: readonly Descriptor[],
  content: BlobReader,
  options: WriteOptions,
): AsyncGenerator<Uint8Array> {
  const blobs = new Map<string, number>();
  const docker = new DockerDocuments();
  for (const image of images) {
    const selected = await selectImage(image, content, options);
    for (const [digest, size] of selected.blobs) blobs.set(digest, size);
    if (selected.manifest !== undefined) docker.add(selected.manifest, image.annotations?.[imageNameAnnotation]);
  }
  for (const name of ["blobs/", "blobs/sha256/"])
    yield encodeHeader(tarHeader({ name, type: "directory", mode: 0o755 }));
  for (const [digest, size] of [...blobs].sort(([a], [b]) => (a < b ? -1 : 1))) {
    yield encodeHeader(tarHeader({ name: blobPath(digest), mode: 0o644, size }));
    yield* content.read(digest);
    yield Buffer.alloc(paddingOf(size));
  }
  const index: Index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [...images] };
  yield document("index.json", JSON.stringify(index));
  if (!options.skipCompatibilityManifest) yield document("manifest.json", docker.manifests());
  yield document("oci-layout", '{"imageLayoutVersion": "1.0.0"}');
  if (!options.skipCompatibilityManifest && docker.hasNames) yield document("repositories", docker.repositories());
  yield endOfArchive;
}

function document(name: string, text: string): Buffer {
  return encodeEntry(tarHeader({ name: byteString(name), mode: 0o644 }), Buffer.from(text));
}

/** Docker's own documents: `manifest.json`, and `repositories` for very old readers. */
class DockerDocuments {
  readonly #manifests = new Map<string, DockerManifest>();
  readonly #repositories: Record<string, Record<string, string>> = {};

  add({ config, layers }: Manifest, name: string | undefined): void {
    let manifest = this.#manifests.get(config.digest);
    if (manifest === undefined) {
      const sources = layers.map(({ mediaType, size, digest }) => [digest, { mediaType, size, digest }] as const);
      manifest = {
        Config: blobPath(config.digest),
        RepoTags: null,
        Layers: layers.map(({ digest }) => blobPath(digest)),
        LayerSources: Object.fromEntries(sources),
      };
      this.#manifests.set(config.digest, manifest);
    }
    if (name === undefined) return;
    const reference = parseNormalized(name);
    if (reference.tag === undefined) return;
    manifest.RepoTags = [...(manifest.RepoTags ?? []), familiarString(reference)];
    const top = layers.at(-1)?.digest.replace(/^sha256:/, "");
    if (top !== undefined) (this.#repositories[familiarName(reference)] ??= {})[reference.tag] = top;
  }

  get hasNames(): boolean {
    return Object.keys(this.#repositories).length > 0;
  }

  manifests(): string {
    return `${JSON.stringify([...this.#manifests.values()])}\n`;
  }

  repositories(): string {
    return `${JSON.stringify(this.#repositories)}\n`;
  }
}
