import type { Image, Scope } from "@longshore/metadata";
import { digestOf, writeBlob } from "@longshore/content";
import { InvalidArgument, NotFound, isKind } from "@longshore/errdefs";
import { type Descriptor, DocumentWalk, isImageConfig, isIndex, isManifest, mediaTypes } from "@longshore/oci";
import type { ImageDestination, TransferCall } from "../contract.ts";
import { readImageConfig, readIndex, readManifest } from "../images/documents.ts";
import type { Environment } from "../environment.ts";
import { addLabels, indexLabels, manifestLabels } from "../images/gc-labels.ts";
import { archivedNames } from "../images/image-names.ts";
import { withLease } from "../lease.ts";
import { chooseManifests, isComplete, isThere } from "../pull/select.ts";
import { storeImage } from "../images/store-image.ts";
import { unpackManifest } from "../unpack/unpack-image.ts";

async function unpack(
  environment: Environment,
  scope: Scope,
  descriptor: Descriptor,
  destination: ImageDestination,
  signal: AbortSignal,
): Promise<void> {
  const [first] = destination.unpacks;
  // Of whom wants all platforms of an archive, containerd unpacks those that no target names as well.
  const others =
    first !== undefined && destination.platforms.length === 0
      ? [{ ...first, platform: { os: "", architecture: "" } }]
      : [];
  await unpackManifest(environment, scope, descriptor, [...destination.unpacks, ...others], signal);
}

/** Whether a descriptor of an archive is that of the blob which the archive brought. @throws NotFound, InvalidArgument */
async function checkBlob(scope: Scope, { digest, size }: Descriptor): Promise<void> {
  const { size: held } = await scope.content.info(digest);
  if (held !== size) throw new InvalidArgument(`descriptor ${digest} says ${size} bytes, the blob has ${held}`);
}

/** Labels what an archive brought, and unpacks what is wanted of it. */
async function settle(
  environment: Environment,
  scope: Scope,
  descriptor: Descriptor,
  destination: ImageDestination,
  signal: AbortSignal,
  walk: DocumentWalk,
  depth = 0,
): Promise<void> {
  const { content } = scope;
  signal.throwIfAborted();
  if (!isManifest(descriptor) && !isIndex(descriptor))
    throw new InvalidArgument(
      `${descriptor.digest}: descriptor is neither a manifest or index: ${descriptor.mediaType}`,
    );
  if (!walk.enter(descriptor, depth)) return;
  await checkBlob(scope, descriptor);
  if (isManifest(descriptor)) {
    const manifest = await readManifest(content, descriptor.digest);
    for (const child of [manifest.config, ...manifest.layers]) await checkBlob(scope, child);
    if (isImageConfig(manifest.config)) await readImageConfig(content, manifest.config.digest);
    await addLabels(content, descriptor.digest, manifestLabels(manifest));
    if (destination.unpacks.length > 0) await unpack(environment, scope, descriptor, destination, signal);
  } else if (isIndex(descriptor)) {
    const index = await readIndex(content, descriptor.digest);
    await addLabels(content, descriptor.digest, indexLabels(index));
    for (const { descriptor: child } of chooseManifests(index, descriptor.digest, destination)) {
      // An archive need not hold every platform of an index.
      if (isIndex(child) ? await isThere(content, child) : await isComplete(content, child))
        await settle(environment, scope, child, destination, signal, walk, depth + 1);
    }
  }
}

/** Keeps the archive's own index as an image, under the name that the whole archive is to have. */
async function storeIndex(
  scope: Scope,
  bytes: Uint8Array,
  { name, labels }: ImageDestination,
  call: TransferCall,
): Promise<Image> {
  const digest = digestOf(bytes);
  const target = { mediaType: mediaTypes.ociIndex, digest, size: bytes.length };
  try {
    await writeBlob(scope.content, { ref: `index-${digest}`, expected: digest, size: bytes.length }, bytes);
  } catch (error) {
    if (!isKind(error, "AlreadyExists")) throw error;
  }
  await addLabels(scope.content, digest, indexLabels(await readIndex(scope.content, digest)));
  const [image] = await storeImage(scope.images, [name], target, labels);
  if (image === undefined) throw new NotFound("no image name found: not found");
  call.progress({ event: "saved", name, desc: target });
  return image;
}

/**
 * Stores the images of an archive; each is recorded only when all of the archive has been read.
 * @throws InvalidArgument for an archive that is malformed or ends early, NotFound for content that it lacks
 */
export async function importImages(
  environment: Environment,
  source: AsyncIterable<Uint8Array>,
  options: { readonly forceCompress: boolean },
  destination: ImageDestination,
  call: TransferCall,
): Promise<Image[]> {
  call.progress({ event: "Importing" });
  const images = await withLease(environment.open, call, async (scope) => {
    const { images: found, index } = await environment.archiver.read(source, scope.content, {
      forceCompress: options.forceCompress,
      signal: call.signal,
    });
    const walk = new DocumentWalk();
    // Names before anything else: a bad one must not be found when others are recorded already.
    const named = found.map((image) => ({ image, names: archivedNames(image, destination) }));
    for (const image of found) await settle(environment, scope, image, destination, call.signal, walk);
    const stored: Image[] = [];
    if (destination.name !== "") stored.push(await storeIndex(scope, index, destination, call));
    for (const { image, names } of named) {
      if (names.length === 0) continue;
      const { annotations: _, ...target } = image;
      const saved = await storeImage(scope.images, names, target, destination.labels);
      for (const { name } of saved) call.progress({ event: "saved", name, desc: target });
      stored.push(...saved);
    }
    return stored;
  });
  call.progress({ event: "Completed import" });
  return images;
}
