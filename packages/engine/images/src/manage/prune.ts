import { Exclusive } from "@longshore/concurrency";
import { blobInfo, type ImageRecord } from "@longshore/containerd-client";
import type { ImageDeleteResponseItem } from "@longshore/docker-api";
import { type Reference, format, parseNormalized, tagNameOnly } from "@longshore/reference";
import type { ImagesContext } from "../model/context.ts";
import { type ImageFilters, matchesLabels } from "../model/filter.ts";
import { type ListedImage, readAllImages, totalImageSize } from "../views/list.ts";
import { danglingName, isDangling } from "../model/records.ts";
import { labelsOf } from "../model/events.ts";
import { deleted, removeRecords, untagged } from "./remove.ts";

export interface PruneReport {
  ImagesDeleted: ImageDeleteResponseItem[] | null;
  SpaceReclaimed: number;
}

/** Engines that are at it; a second prune is refused. */
const pruning = new WeakMap<ImagesContext, Exclusive>();

function passes(filters: ImageFilters, image: ListedImage): boolean {
  return (filters.until === undefined || image.created < filters.until) && matchesLabels(filters, image.labels ?? {});
}

/** Names that containers were created with, or that were mounted in them, and the images that these were then. */
function usedByContainers(context: ImagesContext): { names: Set<string>; ids: Set<string> } {
  const names = new Set<string>();
  const ids = new Set<string>();
  for (const container of context.containers()) {
    for (const { imageId, image } of [container, ...container.mounted]) {
      ids.add(imageId);
      names.add(danglingName(imageId));
      const reference = tryParse(image);
      if (reference === undefined) continue;
      names.add(format(tagNameOnly(reference)));
      if (reference.tag !== undefined)
        names.add(format({ domain: reference.domain, path: reference.path, tag: reference.tag }));
    }
  }
  return { names, ids };
}

function tryParse(image: string): Reference | undefined {
  try {
    return parseNormalized(image);
  } catch {
    return undefined;
  }
}

/** The records that go: those whose name no container was created with, as long as an image that is used keeps one. */
function chooseRecords(context: ImagesContext, all: readonly ListedImage[], filters: ImageFilters): ImageRecord[] {
  const { names, ids } = usedByContainers(context);
  const danglingOnly = filters.dangling !== false;
  return all.flatMap((image) => {
    if (!passes(filters, image)) return [];
    const chosen = image.records
      .filter((record) => (!danglingOnly || isDangling(record)) && !names.has(record.name))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    // The last name in the alphabet stays, as with Docker.
    return chosen.length === image.records.length && ids.has(image.record.target.digest) ? chosen.slice(0, -1) : chosen;
  });
}

/** Manifests and indexes of the images that are gone, each once. */
async function goneDocuments(
  context: ImagesContext,
  images: readonly ListedImage[],
): Promise<Map<ListedImage, string[]>> {
  const seen = new Set<string>();
  const gone = new Map<ListedImage, string[]>();
  for (const image of images) {
    const digests = [
      image.record.target.digest,
      ...image.manifests.filter(({ blobs }) => blobs.size > 0).map(({ descriptor }) => descriptor.digest),
    ];
    const mine: string[] = [];
    for (const digest of digests) {
      if (seen.has(digest)) continue;
      seen.add(digest);
      if ((await blobInfo(context, digest)) === undefined) mine.push(digest);
    }
    gone.set(image, mine);
  }
  return gone;
}

async function prune(context: ImagesContext, filters: ImageFilters): Promise<PruneReport> {
  const before = await totalImageSize(context);
  const all = await readAllImages(context);
  const chosen = new Set(chooseRecords(context, all, filters));
  if (chosen.size === 0) return { ImagesDeleted: null, SpaceReclaimed: 0 };
  const touched = all.filter(({ records }) => records.some((record) => chosen.has(record)));
  const labels = new Map<unknown, Record<string, string>>();
  for (const image of touched)
    if (image.records[0] !== undefined) labels.set(image, await labelsOf(context, image.records[0]));
  await removeRecords(context, [...chosen]);
  const gone = await goneDocuments(context, touched);
  const items = touched.flatMap((image) => [
    ...image.records
      .filter((record) => chosen.has(record))
      .map((record) => untagged(context, record, labels.get(image) ?? {})),
    ...(gone.get(image) ?? []).map((digest) => deleted(context, digest)),
  ]);
  return { ImagesDeleted: items, SpaceReclaimed: before - (await totalImageSize(context)) };
}

/**
 * Removes images that no container uses: those without a name, or all with `dangling: false`; then also names
 * of used images that no container was created with.
 * @throws Conflict `a prune operation is already running`
 */
export async function pruneImages(context: ImagesContext, filters: ImageFilters): Promise<PruneReport> {
  const exclusive = pruning.get(context) ?? new Exclusive("a prune operation");
  pruning.set(context, exclusive);
  return exclusive.run(async () => {
    const report = await prune(context, filters);
    context.emit("image", "prune", { ID: "", Attributes: { reclaimed: String(report.SpaceReclaimed) } });
    return report;
  });
}
