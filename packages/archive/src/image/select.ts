import { NotFound, isKind } from "@longshore/errdefs";
import { type Descriptor, type Index, type Manifest, type Platform, mediaTypes } from "@longshore/oci";
import { type BlobReader, readBlob } from "./blobs.ts";
import { parseJson } from "./documents.ts";
import { maxJsonBytes } from "./files.ts";

export interface Selection {
  /** What of an index is written; absent: all that is there. */
  platforms?: readonly Platform[] | undefined;
  /** Leave out layers that may not be passed on. */
  skipNonDistributable: boolean;
}

/** An image as it goes into an archive. */
export interface SelectedImage {
  /** All blobs that it is made of, itself included, by digest. */
  blobs: Map<string, number>;
  /** The one manifest that Docker's `manifest.json` can tell of. */
  manifest: Manifest | undefined;
}

const isIndex = ({ mediaType }: Descriptor): boolean => mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerIndex;
const isManifest = ({ mediaType }: Descriptor): boolean => mediaType === mediaTypes.ociManifest || mediaType === mediaTypes.dockerManifest;
const mayPass = ({ mediaType }: Descriptor): boolean => !/\.(nondistributable|foreign)\./.test(mediaType);

function matches(wanted: readonly Platform[], platform: Platform | undefined): boolean {
  // What names no platform may be anything.
  return platform === undefined || wanted.some(({ os, architecture, variant }) => os === platform.os && architecture === platform.architecture && (variant === undefined || variant === platform.variant));
}

/**
 * Collects what an image is made of. An index is kept as it is, also when not all of what it names goes
 * with it.
 * @throws NotFound for a blob that is asked for and not there
 */
export async function selectImage(target: Descriptor, content: BlobReader, selection: Selection): Promise<SelectedImage> {
  const selected: SelectedImage = { blobs: new Map(), manifest: undefined };
  await add(target, content, selection, selected);
  return selected;
}

async function add(descriptor: Descriptor, content: BlobReader, selection: Selection, into: SelectedImage): Promise<void> {
  const { size } = await content.info(descriptor.digest);
  into.blobs.set(descriptor.digest, size);
  if (isIndex(descriptor)) await addIndex(descriptor, content, selection, into);
  if (isManifest(descriptor)) await addManifest(descriptor, content, selection, into);
}

async function addIndex(descriptor: Descriptor, content: BlobReader, selection: Selection, into: SelectedImage): Promise<void> {
  const { manifests } = parseJson(descriptor.digest, await readBlob(content, descriptor.digest, maxJsonBytes)) as Index;
  const { platforms } = selection;
  if (platforms !== undefined) {
    const wanted = manifests.filter((child) => matches(platforms, child.platform));
    if (wanted.length === 0) throw new NotFound("no manifest found for platform: not found");
    for (const child of wanted) await add(child, content, selection, into);
    return;
  }
  for (const child of manifests) {
    // A pull brings one platform of many.
    const part: SelectedImage = { blobs: new Map(), manifest: into.manifest };
    try {
      await add(child, content, selection, part);
    } catch (error) {
      if (isKind(error, "NotFound")) continue;
      throw error;
    }
    for (const [digest, size] of part.blobs) into.blobs.set(digest, size);
    into.manifest = part.manifest;
  }
}

async function addManifest(descriptor: Descriptor, content: BlobReader, selection: Selection, into: SelectedImage): Promise<void> {
  const manifest = parseJson(descriptor.digest, await readBlob(content, descriptor.digest, maxJsonBytes)) as Manifest;
  for (const { digest, ...child } of [manifest.config, ...manifest.layers]) {
    if (selection.skipNonDistributable && !mayPass({ digest, ...child })) continue;
    into.blobs.set(digest, (await content.info(digest)).size);
  }
  // Attestations are manifests too, but no images.
  const isImage = manifest.config.mediaType === mediaTypes.ociConfig || manifest.config.mediaType === mediaTypes.dockerConfig;
  if (isImage && descriptor.annotations?.["vnd.docker.reference.type"] === undefined) into.manifest ??= manifest;
}
