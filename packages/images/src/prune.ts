import type { ImageDeleteResponseItem } from "@longshore/api";
import { Conflict } from "@longshore/errdefs";
import type { ImagesContext } from "./context.ts";
import { type ImageFilters, matchesLabels } from "./filter.ts";
import { type ListedImage, readAllImages, totalImageSize } from "./list.ts";
import { isDangling, referenceOf } from "./records.ts";
import { deleted, removeRecords, untagged } from "./remove.ts";

export interface PruneReport {
  ImagesDeleted: ImageDeleteResponseItem[] | null;
  SpaceReclaimed: number;
}

/** Engines that are at it; a second prune is refused. */
const pruning = new WeakSet<ImagesContext>();

function isWanted(context: ImagesContext, image: ListedImage, filters: ImageFilters): boolean {
  const isNameless = image.records.every((record) => referenceOf(record) === undefined);
  if (filters.dangling !== false && !isNameless) return false;
  if (filters.until !== undefined && image.created >= filters.until) return false;
  if (!matchesLabels(filters, image.labels ?? {})) return false;
  return !context.containers().some(({ imageId }) => imageId === image.record.target.digest);
}

async function prune(context: ImagesContext, filters: ImageFilters): Promise<PruneReport> {
  const before = await totalImageSize(context);
  const images = (await readAllImages(context)).filter((image) => isWanted(context, image, filters));
  if (images.length === 0) return { ImagesDeleted: null, SpaceReclaimed: 0 };
  await removeRecords(context, images.flatMap(({ records }) => records));
  const items = images.flatMap(({ records, record }) => [
    ...records.filter((each) => !isDangling(each)).map((each) => untagged(context, each)),
    deleted(context, record.target.digest),
  ]);
  return { ImagesDeleted: items, SpaceReclaimed: before - (await totalImageSize(context)) };
}

/**
 * Removes images that no container uses: those without a name, or all with `dangling: false`.
 * @throws Conflict `a prune operation is already running`
 */
export async function pruneImages(context: ImagesContext, filters: ImageFilters): Promise<PruneReport> {
  if (pruning.has(context)) throw new Conflict("a prune operation is already running");
  pruning.add(context);
  try {
    const report = await prune(context, filters);
    context.emit("image", "prune", { ID: "", Attributes: { reclaimed: String(report.SpaceReclaimed) } });
    return report;
  } finally {
    pruning.delete(context);
  }
}
