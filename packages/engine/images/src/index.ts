import type { ImagesContext } from "./model/context.ts";
import type { ImageResolver } from "./model/contract.ts";
import { findRecord } from "./model/find.ts";
import { resolveImage } from "./model/resolve.ts";
import { unpackImage } from "./model/snapshots.ts";

export type { ContainerUsage, ImageResolver, ProgressLine, ProgressOutput, ResolvedImage } from "./model/contract.ts";
export type { ImagesContext, RegistryCall } from "./model/context.ts";
export { type CommitRequest, commitImage } from "./commit/commit.ts";
export { damageOfImages } from "./model/damage.ts";
export { inspectDistribution } from "./registry/distribution.ts";
export { type ImageFilters, noFilters } from "./model/filter.ts";
export { imageHistory } from "./views/history.ts";
export { type ImportRequest, importImage } from "./archive/import.ts";
export { inspectImage } from "./views/inspect.ts";
export { type ListOptions, listImages, totalImageSize } from "./views/list.ts";
export { loadImages } from "./archive/load.ts";
export { login } from "./registry/login.ts";
export { type PruneReport, pruneImages } from "./manage/prune.ts";
export { type PullRequest, pullImage } from "./registry/pull.ts";
export { type PushRequest, pushImage } from "./registry/push.ts";
export { type RemoveOptions, removeImage } from "./manage/remove.ts";
export { saveImages } from "./archive/save.ts";
export { type SearchFilters, type SearchResult, searchImages } from "./registry/search.ts";
export { tagImage } from "./manage/tag.ts";

/** Images as containers need them. */
export function imageResolver(context: ImagesContext): ImageResolver {
  return {
    resolve: (refOrId, platform) => resolveImage(context, refOrId, platform),
    idOf: async (refOrId) => (await findRecord(context, refOrId)).record.target.digest,
    unpack: (image) => unpackImage(context, image),
  };
}
