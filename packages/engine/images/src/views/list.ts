import { type ImageRecord, listRecords } from "@longshore/containerd-client";
import type { ImageSummary } from "@longshore/docker-api";
import { isKind } from "@longshore/errdefs";
import { flatMapInSlices } from "@longshore/patterns";
import type { ImagesContext } from "../model/context.ts";
import { DamagedImages } from "../model/damage.ts";
import { type ImageFilters, matchesLabels, referenceMatcher } from "../model/filter.ts";
import { findImage } from "../model/find.ts";
import { askedAtOnce, askedSingly, type Holdings } from "./holdings.ts";
import { parentLabel } from "./inspect.ts";
import { type ImageManifest, chainOf, readManifests } from "../model/manifests.ts";
import { referenceOf } from "../model/records.ts";
import { repoDigests, repoTags, showDescriptor, sum, summarizeManifest } from "../model/shown.ts";

export interface ListOptions {
  readonly filters: ImageFilters;
  /** Tell how much each shares with others. */
  readonly sharedSize: boolean;
  readonly manifests: boolean;
}

/** An image with all its names and what is below it. */
export interface ListedImage {
  readonly records: readonly ImageRecord[];
  readonly manifests: readonly ImageManifest[];
  readonly record: ImageRecord;
  readonly labels: Record<string, string> | null;
  /** Milliseconds since 1970. */
  readonly created: number;
}

async function readImage(
  context: ImagesContext,
  records: readonly ImageRecord[],
  record: ImageRecord,
  holdings: Holdings,
): Promise<ListedImage> {
  const manifests = await readManifests(context, record.target, holdings);
  const rank = (manifest: ImageManifest): number => (manifest.available && manifest.document !== undefined ? 0 : 1);
  const [main] = manifests.toSorted((a, b) => rank(a) - rank(b));
  const created = Date.parse(main?.document?.created ?? "");
  return {
    records,
    record,
    manifests,
    labels: main?.document?.config?.Labels ?? null,
    created: Number.isNaN(created) ? 0 : created,
  };
}

/** Every image, the newest first, and what containerd has. */
async function readAll(context: ImagesContext): Promise<{ images: ListedImage[]; holdings: Holdings }> {
  const byTarget = Map.groupBy(await listRecords(context), ({ target }) => target.digest);
  // After the records, which keep what is below them.
  const holdings = await askedAtOnce(context);
  const damaged = new DamagedImages();
  const images = await Promise.all(
    [...byTarget.values()].map((records) => {
      const [record] = records;
      return record === undefined
        ? undefined
        : readImage(context, records, record, holdings).catch((error: unknown) => leftOut(error, records, damaged));
    }),
  );
  damaged.report(context);
  return { images: images.filter((image) => image !== undefined).toSorted((a, b) => b.created - a.created), holdings };
}

/** Every image, the newest first. */
export async function readAllImages(context: ImagesContext): Promise<ListedImage[]> {
  return (await readAll(context)).images;
}

/** One that is removed while it is read is not listed, nor is one that cannot be read: it must not hide the others. */
function leftOut(error: unknown, records: readonly ImageRecord[], damaged: DamagedImages): undefined {
  if (isKind(error, "NotFound")) return;
  if (!isKind(error, "InvalidArgument") && !isKind(error, "DataLoss")) throw error;
  damaged.add(records, error);
}

/** Times of the images named, for `before` and `since`. @throws NotFound */
async function timesOf(context: ImagesContext, names: readonly string[]): Promise<number[]> {
  return Promise.all(
    names.map(async (name) => {
      const { record, all } = await findImage(context, name);
      return (await readImage(context, all, record, askedSingly(context))).created;
    }),
  );
}

/** The images for which all filters hold, with only those names that match a pattern. */
async function filterImages(
  context: ImagesContext,
  images: readonly ListedImage[],
  filters: ImageFilters,
): Promise<ListedImage[]> {
  const before = await timesOf(context, filters.before);
  const since = await timesOf(context, filters.since);
  const named = referenceMatcher(filters.references);
  return flatMapInSlices(images, (image) => {
    const isDangling = image.records.every((record) => referenceOf(record) === undefined);
    if (filters.dangling !== undefined && filters.dangling !== isDangling) return [];
    if (!matchesLabels(filters, image.labels ?? {})) return [];
    if (!before.every((time) => image.created < time) || !since.every((time) => image.created > time)) return [];
    if (filters.until !== undefined && image.created >= filters.until) return [];
    if (filters.references.length === 0) return [image];
    const records = image.records.filter((record) => {
      const reference = referenceOf(record);
      return reference !== undefined && named(reference);
    });
    return records.length === 0 ? [] : [{ ...image, records }];
  });
}

const chainsOf = (image: ListedImage): Set<string> => new Set(image.manifests.flatMap(chainOf));

/** Bytes on disk of each unpacked layer, and how many images have it. */
async function layerUse(
  holdings: Holdings,
  images: readonly ListedImage[],
): Promise<Map<string, { size: number; users: number }>> {
  const users = new Map<string, number>();
  for (const image of images) for (const chainId of chainsOf(image)) users.set(chainId, (users.get(chainId) ?? 0) + 1);
  const entries = await Promise.all(
    [...users].map(
      async ([chainId, count]) => [chainId, { size: await holdings.layerSize(chainId), users: count }] as const,
    ),
  );
  return new Map(entries);
}

/**
 * Lists images, the newest first. `Containers` counts all containers of each; clients older than
 * API 1.51 are to be shown -1.
 * @throws NotFound for a filter's image
 */
export async function listImages(context: ImagesContext, options: ListOptions): Promise<ImageSummary[]> {
  const { images: all, holdings } = await readAll(context);
  const layers = await layerUse(holdings, all);
  const containers = Map.groupBy(context.containers(), ({ imageId }) => imageId);
  return Promise.all(
    (await filterImages(context, all, options.filters)).map(async (image): Promise<ImageSummary> => {
      const { record, records, manifests } = image;
      const chains = [...chainsOf(image)].map((chainId) => layers.get(chainId) ?? { size: 0, users: 0 });
      const content = sum(new Map(manifests.flatMap(({ blobs }) => [...blobs])).values());
      return {
        Containers: containers.get(record.target.digest)?.length ?? 0,
        Created: Math.trunc(image.created / 1000),
        Id: record.target.digest,
        Labels: image.labels,
        ParentId: record.labels[parentLabel] ?? "",
        Descriptor: showDescriptor(record.target),
        ...(options.manifests
          ? {
              Manifests: await Promise.all(
                manifests.map((manifest) => summarizeManifest(context, record.target.digest, manifest, holdings)),
              ),
            }
          : {}),
        RepoDigests: repoDigests(records),
        RepoTags: repoTags(records),
        SharedSize: options.sharedSize ? sum(chains.filter(({ users }) => users > 1).map(({ size }) => size)) : -1,
        Size: content + sum(chains.map(({ size }) => size)),
      };
    }),
  );
}

/** Bytes that all images take together, each blob and layer once. */
export async function totalImageSize(context: ImagesContext): Promise<number> {
  const { images, holdings } = await readAll(context);
  const layers = await layerUse(holdings, images);
  const blobs = new Map(images.flatMap(({ manifests }) => manifests.flatMap((manifest) => [...manifest.blobs])));
  return sum(blobs.values()) + sum([...layers.values()].map(({ size }) => size));
}
