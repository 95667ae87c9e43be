import type { ImagesContext } from "./model/context.ts";
import type { ImageResolver } from "./model/contract.ts";
import { findRecord } from "./model/find.ts";
import { resolveImage } from "./model/resolve.ts";
import { unpackImage } from "./model/snapshots.ts";

export type { ContainerUsage, ImageResolver, ProgressLine, ProgressOutput, ResolvedImage } from "./model/contract.ts";
export type { ImagesContext, RegistryCall } from "./model/context.ts";
export { type CommitRequest, commitImage } from "./commit/commit.ts";
export { damageOfImages } from "./model/damage.ts";
export type { ImageFilters } from "./model/filter.ts";
export { type ImagesBackend, imagesBackend } from "./backend.ts";

/** Images as containers need them. */
export function imageResolver(context: ImagesContext): ImageResolver {
  return {
    resolve: (refOrId, platform) => resolveImage(context, refOrId, platform),
    idOf: async (refOrId) => (await findRecord(context, refOrId)).record.target.digest,
    unpack: (image) => unpackImage(context, image),
  };
}
