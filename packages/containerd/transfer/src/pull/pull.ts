import { transferReasons } from "@longshore/containerd-client";
import { InvalidArgument, Unknown, wrap } from "@longshore/errdefs";
import type { Image, Scope } from "@longshore/metadata";
import {
  type Descriptor,
  DocumentWalk,
  type Manifest,
  isImageConfig,
  isIndex,
  isLayer,
  isManifest,
} from "@longshore/oci";
import { type Reference, format, parseNormalized, tagNameOnly } from "@longshore/reference";
import { allOrFirstError } from "@longshore/concurrency";
import type { ImageDestination, TransferCall } from "../contract.ts";
import { readImageConfig, readIndex, readManifest, refKey } from "../images/documents.ts";
import type { Source } from "./download.ts";
import type { Environment } from "../environment.ts";
import { addLabels, indexLabels, manifestLabels } from "../images/gc-labels.ts";
import { storedNames } from "../images/image-names.ts";
import { withLease } from "../lease.ts";
import { ProgressJob } from "../progress/progress-job.ts";
import { chooseManifests } from "./select.ts";
import { storeImage } from "../images/store-image.ts";
import { unpackTargetFor } from "../unpack/unpack-target.ts";

/** One pull: what all its parts need. */
interface Pull {
  readonly environment: Environment;
  readonly scope: Scope;
  readonly source: Source;
  readonly call: TransferCall;
  readonly destination: ImageDestination;
  readonly walk: DocumentWalk;
}

async function fetch(
  pull: Pull,
  descriptor: Descriptor,
  parent: string,
  signal: AbortSignal,
  limited: boolean,
): Promise<void> {
  const { environment, scope, source, call } = pull;
  const job = new ProgressJob(call.progress, descriptor, parent, "downloading");
  const work = (): Promise<"exists" | "fetched"> =>
    environment.downloads.fetch(scope, source, descriptor, signal, (done) => job.bytes(done));
  const outcome = await (limited ? environment.downloadSlots.of(call.concurrency).run(signal, work) : work());
  job.end(outcome === "exists" ? "already exists" : "complete");
}

/** A configuration that is none is found out before anything is recorded, whether or not it is unpacked. */
async function fetchConfig(pull: Pull, config: Descriptor, parent: string, signal: AbortSignal): Promise<void> {
  await fetch(pull, config, parent, signal, false);
  if (isImageConfig(config)) await readImageConfig(pull.scope.content, config.digest);
}

async function pullLayers(pull: Pull, descriptor: Descriptor, manifest: Manifest, signal: AbortSignal): Promise<void> {
  const { environment, scope, call, destination } = pull;
  const parent = refKey(descriptor);
  const config = manifest.config;
  await fetchConfig(pull, config, parent, signal);
  const target = isImageConfig(config)
    ? await unpackTargetFor(environment, scope, config, destination.unpacks)
    : undefined;
  await allOrFirstError(signal, (inner) => {
    const fetched = manifest.layers.map((layer) => fetch(pull, layer, parent, inner, true));
    if (target === undefined) return fetched;
    const unpacked = (async () => {
      const { rootfs } = await readImageConfig(scope.content, config.digest);
      const layers = manifest.layers
        .map((layer, position) => ({ layer, position }))
        .filter(({ layer }) => isLayer(layer));
      const report = (event: string, layer: Descriptor): void =>
        call.progress({
          event,
          name: refKey(layer),
          parents: [parent],
          progress: event === "extracted" ? layer.size : 0,
          total: layer.size,
          desc: layer,
        });
      await environment.unpacker.unpack({
        scope,
        snapshotter: target,
        layers: layers.map(({ layer }) => layer),
        diffIds: rootfs.diff_ids,
        config,
        fetched: async (_, position) => fetched[layers[position]?.position ?? -1],
        onStart: (layer) => report("extracting", layer),
        onDone: (layer) => report("extracted", layer),
        signal: inner,
      });
    })();
    return [...fetched, unpacked];
  });
}

/** Brings a manifest or index in with all that is wanted of what it names. */
async function pullTree(
  pull: Pull,
  descriptor: Descriptor,
  parent: string,
  metadataOnly: boolean,
  signal: AbortSignal,
  depth = 0,
): Promise<void> {
  if (
    (isIndex(descriptor) || isManifest(descriptor)) &&
    !pull.walk.enter(descriptor, depth, metadataOnly ? "metadata" : "")
  )
    return;
  const { content } = pull.scope;
  await fetch(pull, descriptor, parent, signal, false);
  if (isIndex(descriptor)) {
    const index = await readIndex(content, descriptor.digest);
    await addLabels(content, descriptor.digest, indexLabels(index));
    const chosen = chooseManifests(index, descriptor.digest, pull.destination);
    await allOrFirstError(signal, (inner) =>
      chosen.map((child) =>
        pullTree(pull, child.descriptor, refKey(descriptor), metadataOnly || child.metadataOnly, inner, depth + 1),
      ),
    );
  } else if (isManifest(descriptor)) {
    const manifest = await readManifest(content, descriptor.digest);
    await addLabels(content, descriptor.digest, manifestLabels(manifest));
    if (metadataOnly) await fetchConfig(pull, manifest.config, refKey(descriptor), signal);
    else await pullLayers(pull, descriptor, manifest, signal);
  }
}

/** A whole name: containerd adds neither registry nor tag. @throws Unknown without them, InvalidArgument as Docker words it */
export function pullReference(text: string): Reference {
  if (!/^[^/]+\/.*[:@]/.test(text)) throw new Unknown("failed to resolve image: object required");
  return tagNameOnly(parseNormalized(text));
}

/**
 * Pulls an image: resolves its name, fetches what is wanted, unpacks what is asked for, and last of
 * all records the image, so that a pull that fails shows nothing.
 * @throws errors of the registry behind `failed to resolve image: `; NotFound, InvalidArgument, FailedPrecondition
 */
export async function pull(
  environment: Environment,
  source: Source,
  destination: ImageDestination,
  call: TransferCall,
): Promise<Image[]> {
  const name = format(source.reference);
  call.progress({ event: `Resolving from OCI Registry (${name})` });
  const reason = transferReasons.resolveFailed;
  const target = await source.registry.resolve(source.reference, call.signal).catch((error: unknown) => {
    throw wrap("failed to resolve image", error, reason);
  });
  if (!isIndex(target) && !isManifest(target))
    throw new InvalidArgument(
      `failed to resolve image: ${name}: unsupported manifest media type: ${target.mediaType}`,
      {
        reason,
      },
    );
  call.progress({ event: `Pulling from OCI Registry (${name})` });
  call.progress({ event: "fetching image content", name });
  const images = await withLease(environment.open, call, async (scope) => {
    await pullTree(
      { environment, scope, source, call, destination, walk: new DocumentWalk() },
      target,
      name,
      false,
      call.signal,
    );
    return storeImage(scope.images, storedNames(target, destination), target, destination.labels);
  });
  for (const image of images) call.progress({ event: "saved", name: image.name, desc: target });
  call.progress({ event: `Completed pull from OCI Registry (${name})` });
  return images;
}
