import { type Provider, readBlob } from "@longshore/content";
import {
  type Descriptor,
  type Image,
  type Index,
  type Manifest,
  isImageConfig,
  isIndex,
  isLayer,
  isManifest,
  parseImage,
  parseIndex,
  parseManifest,
} from "@longshore/oci";

/** How a descriptor is called in ingests and progress: `layer-sha256:…`. */
export function refKey(descriptor: Descriptor): string {
  const kind = isIndex(descriptor)
    ? "index"
    : isManifest(descriptor)
      ? "manifest"
      : isImageConfig(descriptor)
        ? "config"
        : isLayer(descriptor)
          ? "layer"
          : "unknown";
  return `${kind}-${descriptor.digest}`;
}

/** @throws NotFound; InvalidArgument when it is no index */
export async function readIndex(content: Provider, digest: string): Promise<Index> {
  return parseIndex(digest, await readBlob(content, digest));
}

/** @throws NotFound; InvalidArgument when it is no manifest */
export async function readManifest(content: Provider, digest: string): Promise<Manifest> {
  return parseManifest(digest, await readBlob(content, digest));
}

/** @throws NotFound; InvalidArgument when it is no image configuration */
export async function readImageConfig(content: Provider, digest: string): Promise<Image> {
  return parseImage(digest, await readBlob(content, digest));
}
