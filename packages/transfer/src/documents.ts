import { type Provider, readBlob } from "@longshore/content";
import { InvalidArgument } from "@longshore/errdefs";
import { type Descriptor, type Image, type Index, type Manifest, mediaTypes } from "@longshore/oci";
import { isDigest } from "@longshore/reference";

const indexTypes: readonly string[] = [mediaTypes.ociIndex, mediaTypes.dockerIndex];
const manifestTypes: readonly string[] = [mediaTypes.ociManifest, mediaTypes.dockerManifest];
const configTypes: readonly string[] = [mediaTypes.ociConfig, mediaTypes.dockerConfig];

export const isIndex = (descriptor: Descriptor): boolean => indexTypes.includes(descriptor.mediaType);
export const isManifest = (descriptor: Descriptor): boolean => manifestTypes.includes(descriptor.mediaType);
export const isImageConfig = (descriptor: Descriptor): boolean => configTypes.includes(descriptor.mediaType);

/** Whether a blob is a layer of a root file system, and not some artifact's content. */
export function isLayer({ mediaType }: Descriptor): boolean {
  return mediaType.startsWith("application/vnd.oci.image.layer.") || mediaType.startsWith("application/vnd.docker.image.rootfs.");
}

/** How a descriptor is called in ingests and progress: `layer-sha256:…`. */
export function refKey(descriptor: Descriptor): string {
  const kind = isIndex(descriptor) ? "index" : isManifest(descriptor) ? "manifest" : isImageConfig(descriptor) ? "config" : isLayer(descriptor) ? "layer" : "unknown";
  return `${kind}-${descriptor.digest}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function readDocument(content: Provider, digest: string): Promise<Record<string, unknown>> {
  const bytes = await readBlob(content, digest);
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw new InvalidArgument(`${digest} is not valid JSON: ${(error as Error).message}`, { cause: error });
  }
  if (!isRecord(parsed)) throw new InvalidArgument(`${digest} is not a JSON object`);
  return parsed;
}

function checkDescriptor(value: unknown, of: string): Descriptor {
  if (!isRecord(value)) throw new InvalidArgument(`${of}: a descriptor is not an object`);
  const { mediaType, digest, size } = value;
  if (typeof mediaType !== "string" || mediaType === "") throw new InvalidArgument(`${of}: a descriptor has no media type`);
  if (typeof digest !== "string" || !isDigest(digest)) throw new InvalidArgument(`${of}: a descriptor has the invalid digest ${JSON.stringify(digest)}`);
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) throw new InvalidArgument(`${of}: ${digest} has the invalid size ${JSON.stringify(size)}`);
  return value as unknown as Descriptor;
}

/** @throws InvalidArgument when it is no index */
export async function readIndex(content: Provider, digest: string): Promise<Index> {
  const index = await readDocument(content, digest);
  // A document that reads as both could be understood differently by others.
  if ("layers" in index || "config" in index || "fsLayers" in index) throw new InvalidArgument(`${digest}: media-type: expected index but found manifest`);
  if (index["manifests"] !== null && !Array.isArray(index["manifests"])) throw new InvalidArgument(`${digest}: index without manifests`);
  return { ...(index as unknown as Index), manifests: (index["manifests"] ?? []).map((child: unknown) => checkDescriptor(child, digest)) };
}

/** @throws InvalidArgument when it is no manifest */
export async function readManifest(content: Provider, digest: string): Promise<Manifest> {
  const manifest = await readDocument(content, digest);
  if ("manifests" in manifest || "fsLayers" in manifest) throw new InvalidArgument(`${digest}: media-type: expected manifest but found index`);
  const layers: unknown = manifest["layers"] ?? [];
  if (!Array.isArray(layers)) throw new InvalidArgument(`${digest}: manifest without layers`);
  return {
    ...(manifest as unknown as Manifest),
    config: checkDescriptor(manifest["config"], digest),
    layers: layers.map((layer: unknown) => checkDescriptor(layer, digest)),
  };
}

/** @throws InvalidArgument when it is no image configuration */
export async function readImageConfig(content: Provider, digest: string): Promise<Image> {
  const config = await readDocument(content, digest);
  const rootfs = config["rootfs"];
  const diffIds = isRecord(rootfs) ? rootfs["diff_ids"] : undefined;
  if (!Array.isArray(diffIds) || !diffIds.every((id) => typeof id === "string" && isDigest(id))) {
    throw new InvalidArgument(`${digest}: image configuration without valid rootfs.diff_ids`);
  }
  return config as unknown as Image;
}
