import { blobInfo } from "@longshore/containerd-client";
import { isKind } from "@longshore/errdefs";
import type { ImagesContext } from "../model/context.ts";

/** What containerd has of images: sizes in bytes. */
export interface Holdings {
  /** Undefined when the content store does not have the blob. */
  blobSize(digest: string): Promise<number | undefined>;
  /** Bytes on disk of a layer's snapshot, by its chain ID; 0 when it is not unpacked. */
  layerSize(chainId: string): Promise<number>;
}

/** Asks for each thing when it is needed: for one image. */
export function askedSingly(context: ImagesContext): Holdings {
  return {
    blobSize: async (digest) => (await blobInfo(context, digest))?.size,
    layerSize: async (chainId) => (await usage(context, chainId)) ?? 0,
  };
}

async function usage({ containerd, snapshotter }: ImagesContext, chainId: string): Promise<number | undefined> {
  try {
    return Number((await containerd.snapshots.usage({ snapshotter, key: chainId })).size);
  } catch (error) {
    if (isKind(error, "NotFound")) return undefined;
    throw error;
  }
}

/** Sizes of layers for each containerd, with the times of their making: a committed snapshot never changes. */
const known = new WeakMap<object, Map<string, { madeAt: string; size: number }>>();

/** Asks for all that is there at once: for many images, of which each has some ten blobs and layers. */
export async function askedAtOnce(context: ImagesContext): Promise<Holdings> {
  const { containerd, snapshotter } = context;
  const blobs = new Map<string, number>();
  const layers = new Map<string, string>();
  const listBlobs = async (): Promise<void> => {
    for await (const { info } of containerd.content.list({}))
      for (const { digest, size } of info) blobs.set(digest, Number(size));
  };
  const listLayers = async (): Promise<void> => {
    for await (const { info } of containerd.snapshots.list({ snapshotter, filters: ["kind==committed"] }))
      for (const { name, createdAt } of info) layers.set(name, `${createdAt?.seconds}.${createdAt?.nanos}`);
  };
  await Promise.all([listBlobs(), listLayers()]);
  const sizes = new Map(
    [...(known.get(containerd) ?? [])].filter(([chainId, { madeAt }]) => layers.get(chainId) === madeAt),
  );
  known.set(containerd, sizes);
  return {
    blobSize: async (digest) => blobs.get(digest),
    layerSize: async (chainId) => {
      const madeAt = layers.get(chainId);
      if (madeAt === undefined) return 0;
      const size = sizes.get(chainId)?.size ?? (await usage(context, chainId));
      if (size !== undefined) sizes.set(chainId, { madeAt, size });
      return size ?? 0;
    },
  };
}
