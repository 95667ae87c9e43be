import { randomBytes } from "node:crypto";
import { InvalidArgument, isKind } from "@longshore/errdefs";
import { type Descriptor, type Platform, chainIds, parseImage, parseManifest } from "@longshore/oci";
import { packAny } from "@longshore/proto";
import { ImageStoreSchema, UnpackConfigurationSchema } from "@longshore/proto/containerd/types/transfer/transfer";
import type { ClientContext } from "../connection/context.ts";
import { labelBlob, readDocument } from "../content/blobs.ts";
import type { Lease } from "../leases/lease.ts";
import { platformMessage, transfer } from "../transfer/transfer.ts";

/** The snapshotter beside what the client's functions work with. */
export interface SnapshotContext extends ClientContext {
  readonly snapshotter: string;
}

/** Whether there is a snapshot of this key. */
export async function snapshotExists(
  { containerd, snapshotter }: Pick<SnapshotContext, "containerd" | "snapshotter">,
  key: string,
): Promise<boolean> {
  try {
    await containerd.snapshots.stat({ snapshotter, key });
    return true;
  } catch (error) {
    if (isKind(error, "NotFound")) return false;
    throw error;
  }
}

async function applyLayer(
  context: SnapshotContext,
  lease: Lease,
  layer: Descriptor,
  diffId: string,
  chainId: string,
  parent: string,
): Promise<void> {
  const { containerd, snapshotter } = context;
  const key = `extract-${process.hrtime.bigint() % 1_000_000_000n}-${randomBytes(3).toString("base64url")} ${chainId}`;
  const { mounts } = await containerd.snapshots.prepare({ snapshotter, key, parent }, lease.options);
  try {
    const diff = { mediaType: layer.mediaType, digest: layer.digest, size: BigInt(layer.size) };
    const { applied } = await containerd.diff.apply({ diff, mounts }, lease.options);
    if (applied?.digest !== diffId)
      throw new InvalidArgument(`wrong diff id "${applied?.digest ?? ""}" calculated on extraction "${diffId}"`);
    await containerd.snapshots.commit({ snapshotter, name: chainId, key }, lease.options);
  } catch (error) {
    await containerd.snapshots.remove({ snapshotter, key }).catch(() => undefined);
    if (!isKind(error, "AlreadyExists")) throw error;
  }
}

/**
 * Has containerd unpack a stored image by itself, which saves some six calls for each layer. A stock
 * one cannot; `unpackManifest` does what is left, and tells what is wrong with a layer.
 */
export async function unpackStored(
  context: SnapshotContext,
  name: string,
  platform: Platform,
  lease: Lease,
  signal: AbortSignal,
): Promise<void> {
  try {
    await transfer(context, {
      source: packAny(ImageStoreSchema, { name }),
      destination: packAny(UnpackConfigurationSchema, {
        platform: platformMessage(platform),
        snapshotter: context.snapshotter,
      }),
      onProgress: () => undefined,
      signal,
      lease: lease.id,
    });
  } catch (error) {
    signal.throwIfAborted();
    context.log.debug({ image: name, err: error }, "containerd did not unpack the image");
  }
}

/**
 * Unpacks a manifest's layers into snapshots named by chain ID; those that exist stay.
 * @throws InvalidArgument for a layer that is malformed or not what the configuration says
 */
export async function unpackManifest(context: SnapshotContext, lease: Lease, descriptor: Descriptor): Promise<void> {
  const { containerd, snapshotter } = context;
  const manifest = await readDocument(context, descriptor.digest, parseManifest);
  const { rootfs } = await readDocument(context, manifest.config.digest, parseImage);
  const diffIds = rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length)
    throw new InvalidArgument("mismatched image rootfs and manifest layers");
  const chain = chainIds(diffIds);
  const top = chain.at(-1);
  if (top !== undefined) {
    // The topmost one keeps those below it.
    await containerd.leases.addResource({ id: lease.id, resource: { id: top, type: `snapshots/${snapshotter}` } });
    if (await snapshotExists(context, top))
      return labelBlob(context, manifest.config.digest, { [`containerd.io/gc.ref.snapshot.${snapshotter}`]: top });
  }
  for (const [position, layer] of manifest.layers.entries()) {
    const chainId = chain[position] ?? "";
    await containerd.leases.addResource({ id: lease.id, resource: { id: chainId, type: `snapshots/${snapshotter}` } });
    if (await snapshotExists(context, chainId)) continue;
    await applyLayer(context, lease, layer, diffIds[position] ?? "", chainId, chain[position - 1] ?? "");
    await labelBlob(context, layer.digest, { "containerd.io/uncompressed": diffIds[position] ?? "" });
  }
  if (top !== undefined)
    await labelBlob(context, manifest.config.digest, { [`containerd.io/gc.ref.snapshot.${snapshotter}`]: top });
}
