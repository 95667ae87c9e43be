import type { ImagesContext } from "./context.ts";
import type { ImageResolver } from "./contract.ts";
import { findRecord } from "./find.ts";
import { resolveImage } from "./resolve.ts";
import { unpackImage } from "./snapshots.ts";

export type { ContainerUsage, ImageResolver, ProgressLine, ProgressOutput, ResolvedImage } from "./contract.ts";
export type { ImagesContext, RegistryCall } from "./context.ts";
export { type CommitRequest, commitImage } from "./commit.ts";
export { damageOfImages } from "./damage.ts";
export { inspectDistribution } from "./distribution.ts";
export { type ImageFilters, noFilters } from "./filter.ts";
export { imageHistory } from "./history.ts";
export { type ImportRequest, importImage } from "./import.ts";
export { inspectImage } from "./inspect.ts";
export { type ListOptions, listImages, totalImageSize } from "./list.ts";
export { endFormerLeases, withLease } from "./lease.ts";
export { loadImages } from "./load.ts";
export { login } from "./login.ts";
export { type PruneReport, pruneImages } from "./prune.ts";
export { type PullRequest, pullImage } from "./pull.ts";
export { type PushRequest, pushImage } from "./push.ts";
export { type RemoveOptions, removeImage } from "./remove.ts";
export { saveImages } from "./save.ts";
export { type SearchFilters, type SearchResult, searchImages } from "./search.ts";
export { tagImage } from "./tag.ts";

/** Images as containers need them. */
export function imageResolver(context: ImagesContext): ImageResolver {
  return {
    resolve: (refOrId, platform) => resolveImage(context, refOrId, platform),
    idOf: async (refOrId) => (await findRecord(context, refOrId)).record.target.digest,
    unpack: (image) => unpackImage(context, image),
  };
}
