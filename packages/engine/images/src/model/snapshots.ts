import { snapshotExists, unpackManifest, withLease } from "@longshore/containerd-client";
import type { ImagesContext } from "./context.ts";
import type { ResolvedImage } from "./contract.ts";

/** Sees to it that the image's snapshot exists. */
export async function unpackImage(context: ImagesContext, image: ResolvedImage): Promise<void> {
  if (image.chainId === "" || (await snapshotExists(context, image.chainId))) return;
  await withLease(context, (lease) => unpackManifest(context, lease, image.manifest));
}
