import type {
  AuthConfig,
  DistributionInspect,
  ImageDeleteResponseItem,
  ImageHistoryItem,
  ImageInspect,
  ImageSummary,
} from "@longshore/docker-api";
import type { Platform } from "@longshore/oci";
import { type ImportRequest, importImage } from "./archive/import.ts";
import { loadImages } from "./archive/load.ts";
import { saveImages } from "./archive/save.ts";
import { type PruneReport, pruneImages } from "./manage/prune.ts";
import { type RemoveOptions, removeImage } from "./manage/remove.ts";
import { tagImage } from "./manage/tag.ts";
import type { ImagesContext, RegistryCall } from "./model/context.ts";
import type { ProgressOutput } from "./model/contract.ts";
import type { ImageFilters } from "./model/filter.ts";
import { noFilters } from "./model/filter.ts";
import { inspectDistribution } from "./registry/distribution.ts";
import { login } from "./registry/login.ts";
import { type PullRequest, pullImage } from "./registry/pull.ts";
import { type PushRequest, pushImage } from "./registry/push.ts";
import { type SearchFilters, type SearchResult, searchImages } from "./registry/search.ts";
import { imageHistory } from "./views/history.ts";
import { inspectImage } from "./views/inspect.ts";
import { type ListOptions, listImages, totalImageSize } from "./views/list.ts";

/** What the routes of images do. What fails is told by Docker's messages; see the functions of these names. */
export interface ImagesBackend {
  list(options: ListOptions): Promise<ImageSummary[]>;
  /** All images and the bytes that they take together, for `docker system df`. */
  usage(): Promise<{ images: ImageSummary[]; size: number }>;
  inspect(name: string, options: { manifests: boolean; platform?: Platform | undefined }): Promise<ImageInspect>;
  history(name: string, platform?: Platform): Promise<ImageHistoryItem[]>;
  tag(name: string, repo: string, tag: string): Promise<void>;
  remove(name: string, options: RemoveOptions): Promise<ImageDeleteResponseItem[]>;
  prune(filters: ImageFilters): Promise<PruneReport>;
  pull(request: PullRequest, call: RegistryCall, output: ProgressOutput): Promise<void>;
  push(request: PushRequest, call: RegistryCall, output: ProgressOutput): Promise<void>;
  import(
    request: ImportRequest,
    body: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
    output: ProgressOutput,
  ): Promise<string>;
  load(
    archive: AsyncIterable<Uint8Array>,
    options: { platform?: Platform | undefined; signal: AbortSignal },
    output: ProgressOutput,
  ): Promise<void>;
  save(
    names: readonly string[],
    options: { platform?: Platform | undefined; signal: AbortSignal },
  ): Promise<AsyncIterable<Uint8Array>>;
  login(auth: AuthConfig, signal: AbortSignal): Promise<{ Status: string; IdentityToken: string }>;
  search(term: string, limit: number, filters: SearchFilters, signal: AbortSignal): Promise<SearchResult[]>;
  distribution(name: string, call: RegistryCall): Promise<DistributionInspect>;
}

export function imagesBackend(context: ImagesContext): ImagesBackend {
  return {
    list: (options) => listImages(context, options),
    async usage() {
      const [images, size] = await Promise.all([
        listImages(context, { filters: noFilters, sharedSize: true, manifests: false }),
        totalImageSize(context),
      ]);
      return { images, size };
    },
    inspect: (name, options) => inspectImage(context, name, options),
    history: (name, platform) => imageHistory(context, name, platform),
    tag: (name, repo, tag) => tagImage(context, name, repo, tag),
    remove: (name, options) => removeImage(context, name, options),
    prune: (filters) => pruneImages(context, filters),
    pull: (request, call, output) => pullImage(context, request, call, output),
    push: (request, call, output) => pushImage(context, request, call, output),
    import: (request, body, signal, output) => importImage(context, request, body, signal, output),
    load: (archive, options, output) => loadImages(context, archive, options, output),
    save: (names, options) => saveImages(context, names, options),
    login: (auth, signal) => login(context, auth, signal),
    search: (term, limit, filters, signal) => searchImages(term, limit, filters, context.userAgent, signal),
    distribution: (name, call) => inspectDistribution(context, name, call),
  };
}
