import { NotFound, isKind } from "@longshore/errdefs";
import {
  type Descriptor,
  DocumentWalk,
  type Manifest,
  type Platform,
  isImageConfig,
  isIndex,
  isManifest,
  maxDocumentBytes,
  parseIndex,
  parseManifest,
} from "@longshore/oci";
import { type BlobReader, readBlob } from "./blobs.ts";

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

const mayPass = ({ mediaType }: Descriptor): boolean => !/\.(nondistributable|foreign)\./.test(mediaType);

function matches(wanted: readonly Platform[], platform: Platform | undefined): boolean {
  // What names no platform may be anything.
  return (
    platform === undefined ||
    wanted.some(
      ({ os, architecture, variant }) =>
        os === platform.os &&
        architecture === platform.architecture &&
        (variant === undefined || variant === platform.variant),
    )
  );
}

/**
 * Collects what an image is made of. An index is kept as it is, also when not all of what it names goes
 * with it.
 * @throws NotFound for a blob that is asked for and not there
 */
export async function selectImage(
  target: Descriptor,
  content: BlobReader,
  selection: Selection,
): Promise<SelectedImage> {
  const selected: SelectedImage = { blobs: new Map(), manifest: undefined };
  await add(target, { content, selection, walk: new DocumentWalk(), depth: 0 }, selected);
  return selected;
}

/** Where the selection is in an image. */
interface Place {
  readonly content: BlobReader;
  readonly selection: Selection;
  readonly walk: DocumentWalk;
  readonly depth: number;
}

async function add(descriptor: Descriptor, place: Place, into: SelectedImage): Promise<void> {
  const { size } = await place.content.info(descriptor.digest);
  if (isIndex(descriptor) || isManifest(descriptor)) {
    if (!place.walk.enter({ ...descriptor, size }, place.depth)) return;
    if (isIndex(descriptor)) await addIndex(descriptor, { ...place, depth: place.depth + 1 }, into);
    else await addManifest(descriptor, place, into);
  }
  into.blobs.set(descriptor.digest, size);
}

async function addIndex(descriptor: Descriptor, place: Place, into: SelectedImage): Promise<void> {
  const { content, selection } = place;
  const { manifests } = parseIndex(descriptor.digest, await readBlob(content, descriptor.digest, maxDocumentBytes));
  const { platforms } = selection;
  if (platforms !== undefined) {
    const wanted = manifests.filter((child) => matches(platforms, child.platform));
    if (wanted.length === 0) throw new NotFound("no manifest found for platform: not found");
    for (const child of wanted) await add(child, place, into);
    return;
  }
  for (const child of manifests) {
    // A pull brings one platform of many.
    const part: SelectedImage = { blobs: new Map(), manifest: into.manifest };
    try {
      await add(child, place, part);
    } catch (error) {
      if (isKind(error, "NotFound")) continue;
      throw error;
    }
    for (const [digest, size] of part.blobs) into.blobs.set(digest, size);
    into.manifest = part.manifest;
  }
}

async function addManifest(descriptor: Descriptor, { content, selection }: Place, into: SelectedImage): Promise<void> {
  const manifest = parseManifest(descriptor.digest, await readBlob(content, descriptor.digest, maxDocumentBytes));
  for (const child of [manifest.config, ...manifest.layers]) {
    if (selection.skipNonDistributable && !mayPass(child)) continue;
    into.blobs.set(child.digest, (await content.info(child.digest)).size);
  }
  // Attestations are manifests too, but no images.
  if (isImageConfig(manifest.config) && descriptor.annotations?.["vnd.docker.reference.type"] === undefined)
    into.manifest ??= manifest;
}
