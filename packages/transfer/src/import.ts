import type { Image, Scope } from "@longshore/metadata";
import type { Descriptor } from "@longshore/oci";
import type { ImageDestination, TransferCall } from "./contract.ts";
import { isImageConfig, isIndex, isLayer, isManifest, readImageConfig, readIndex, readManifest } from "./documents.ts";
import type { Environment } from "./environment.ts";
import { addLabels, indexLabels, manifestLabels } from "./gc-labels.ts";
import { archivedNames } from "./image-names.ts";
import { withLease } from "./lease.ts";
import { chooseManifests, isComplete } from "./select.ts";
import { storeImage } from "./store-image.ts";
import { unpackTargetFor } from "./unpack-target.ts";

async function unpack(environment: Environment, scope: Scope, descriptor: Descriptor, destination: ImageDestination, signal: AbortSignal): Promise<void> {
  const { config, layers } = await readManifest(scope.content, descriptor.digest);
  if (!isImageConfig(config)) return;
  const snapshotter = await unpackTargetFor(environment, scope, config, destination.unpacks);
  if (snapshotter === undefined) return;
  const { rootfs } = await readImageConfig(scope.content, config.digest);
  await environment.unpacker.unpack({ scope, snapshotter, layers: layers.filter(isLayer), diffIds: rootfs.diff_ids, config, fetched: async () => undefined, signal });
}

/** Labels what an archive brought, and unpacks what is wanted of it. */
async function settle(environment: Environment, scope: Scope, descriptor: Descriptor, destination: ImageDestination, signal: AbortSignal): Promise<void> {
  const { content } = scope;
  signal.throwIfAborted();
  if (isManifest(descriptor)) {
    const manifest = await readManifest(content, descriptor.digest);
    for (const child of [manifest.config, ...manifest.layers]) await content.info(child.digest);
    await addLabels(content, descriptor.digest, manifestLabels(manifest));
    if (destination.unpacks.length > 0) await unpack(environment, scope, descriptor, destination, signal);
  } else if (isIndex(descriptor)) {
    const index = await readIndex(content, descriptor.digest);
    await addLabels(content, descriptor.digest, indexLabels(index));
    for (const { descriptor: child } of chooseManifests(index, descriptor.digest, destination)) {
      // An archive need not hold every platform of an index.
      if (isIndex(child) || (await isComplete(content, child))) await settle(environment, scope, child, destination, signal);
    }
  }
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
    const found = await environment.archiver.read(source, scope.content, { forceCompress: options.forceCompress, signal: call.signal });
    for (const image of found) await settle(environment, scope, image, destination, call.signal);
    const stored: Image[] = [];
    for (const image of found) {
      const names = archivedNames(image, destination);
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
