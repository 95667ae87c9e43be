import type { Scope } from "@longshore/metadata";
import { type Descriptor, isImageConfig, isIndex, isLayer } from "@longshore/oci";
import type { TransferCall, UnpackTarget } from "../contract.ts";
import { readImageConfig, readIndex, readManifest } from "../images/documents.ts";
import type { Environment } from "../environment.ts";
import { withLease } from "../lease.ts";
import { chooseManifests, isComplete } from "../pull/select.ts";
import { unpackTargetFor } from "./unpack-target.ts";

/** Unpacks one manifest that the store holds whole, onto the first target of its platform. @throws FailedPrecondition when no target is of its platform */
export async function unpackManifest(
  environment: Environment,
  scope: Scope,
  descriptor: Descriptor,
  targets: readonly UnpackTarget[],
  signal: AbortSignal,
): Promise<void> {
  const { config, layers } = await readManifest(scope.content, descriptor.digest);
  if (!isImageConfig(config)) return;
  const snapshotter = await unpackTargetFor(environment, scope, config, targets);
  if (snapshotter === undefined) return;
  const { rootfs } = await readImageConfig(scope.content, config.digest);
  await environment.unpacker.unpack({
    scope,
    snapshotter,
    layers: layers.filter(isLayer),
    diffIds: rootfs.diff_ids,
    config,
    fetched: async () => undefined,
    signal,
  });
}

/** What is there of an image for one platform, the best match first. */
async function manifestsFor(scope: Scope, descriptor: Descriptor, { platform }: UnpackTarget): Promise<Descriptor[]> {
  if (!isIndex(descriptor)) return [descriptor];
  const index = await readIndex(scope.content, descriptor.digest);
  const chosen = chooseManifests(index, descriptor.digest, {
    platforms: [platform],
    allMetadata: false,
    manifestLimit: 0,
  });
  const found: Descriptor[] = [];
  for (const { descriptor: child } of chosen) if (await isComplete(scope.content, child)) found.push(child);
  return found;
}

/**
 * Unpacks a stored image's manifests of one platform. Under the call's lease the snapshots stay, though the image may go.
 * @throws NotFound for the image or its content, FailedPrecondition when it is for another platform
 */
export async function unpackImage(
  environment: Environment,
  name: string,
  target: UnpackTarget,
  call: TransferCall,
): Promise<void> {
  await withLease(environment.open, call, async (scope) => {
    const { target: descriptor } = await scope.images.get(name);
    for (const manifest of await manifestsFor(scope, descriptor, target))
      await unpackManifest(environment, scope, manifest, [target], call.signal);
  });
}
