import { type ImageRecord } from "@longshore/containerd-client";
import type { ImageHistoryItem } from "@longshore/docker-api";
import type { Platform } from "@longshore/oci";
import type { ImagesContext } from "../model/context.ts";
import { findImage } from "../model/find.ts";
import { askedSingly } from "./holdings.ts";
import { parentLabel } from "./inspect.ts";
import { type ImageDocument, chainOf, chooseManifest, readManifests } from "../model/manifests.ts";
import { familiarOf, recordsOf } from "../model/records.ts";
import { repoTags } from "../model/shown.ts";

const seconds = (time: string | undefined): number => (time === undefined ? 0 : Math.trunc(Date.parse(time) / 1000));

/** Sizes of the history's steps, oldest first; steps that made no layer have none. */
async function stepSizes(context: ImagesContext, document: ImageDocument, chain: readonly string[]): Promise<number[]> {
  let layer = 0;
  const keys = (document.history ?? []).map(({ empty_layer }) => (empty_layer === true ? undefined : chain[layer++]));
  const { layerSize } = askedSingly(context);
  return Promise.all(keys.map((key) => (key === undefined ? 0 : layerSize(key))));
}

/** The image that this one was committed from, as long as it is there. */
async function parentOf(context: ImagesContext, record: ImageRecord): Promise<ImageRecord | undefined> {
  const parent = record.labels[parentLabel];
  return parent === undefined ? undefined : (await recordsOf(context, parent))[0];
}

/** An image's steps, newest first. @throws NotFound */
export async function imageHistory(
  context: ImagesContext,
  refOrId: string,
  platform?: Platform,
): Promise<ImageHistoryItem[]> {
  const { record, all } = await findImage(context, refOrId);
  const manifests = await readManifests(context, record.target);
  const chosen = chooseManifest(context, manifests, familiarOf(record), platform, "compatible");
  const { document } = chosen;
  if (document === undefined) return [];
  const sizes = await stepSizes(context, document, chainOf(chosen));
  const items = (document.history ?? []).map((step, position): ImageHistoryItem => ({
    Comment: step.comment ?? "",
    Created: seconds(step.created),
    CreatedBy: step.created_by ?? "",
    Id: "<missing>",
    Size: sizes[position] ?? 0,
    Tags: null,
  }));
  const name = (at: number, image: ImageRecord, records: readonly ImageRecord[]): void => {
    const item = items[at];
    if (item === undefined) return;
    const tags = repoTags(records);
    item.Id = image.target.digest;
    item.Tags = tags.length === 0 ? null : tags;
  };
  name(items.length - 1, record, all);
  const seen = new Set([record.target.digest]);
  for (
    let parent = await parentOf(context, record);
    parent !== undefined && !seen.has(parent.target.digest);
    parent = await parentOf(context, parent)
  ) {
    seen.add(parent.target.digest);
    const manifest = (await readManifests(context, parent.target)).find(({ document: config }) => config !== undefined);
    name((manifest?.document?.history?.length ?? 0) - 1, parent, await recordsOf(context, parent.target.digest));
  }
  return items.toReversed();
}
