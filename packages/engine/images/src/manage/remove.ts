import { type ImageRecord, removeRecord } from "@longshore/containerd-client";
import type { ImageDeleteResponseItem } from "@longshore/docker-api";
import { Conflict, InvalidArgument, NotFound } from "@longshore/errdefs";
import type { Platform } from "@longshore/oci";
import { familiarString, parseNormalized, repositoryOf, tagNameOnly } from "@longshore/reference";
import type { ImagesContext } from "../model/context.ts";
import { emitImage, labelsOf } from "../model/events.ts";
import { findImage, type FoundImage } from "../model/find.ts";
import { parentLabel } from "../views/inspect.ts";
import { formatAsGiven, isSamePlatform, readManifests } from "../model/manifests.ts";
import { familiarOf, isDangling, keepDangling, recordsOf, referenceOf } from "../model/records.ts";
import { shortId } from "../model/shown.ts";

export interface RemoveOptions {
  readonly force: boolean;
  /** Also remove nameless images that this one was made from. */
  readonly prune: boolean;
  /** Only these platforms of the image. */
  readonly platforms?: readonly Platform[];
}

const conflict = (what: string, forced: "cannot" | "must", why: string): Conflict =>
  new Conflict(`conflict: unable to delete ${what} (${forced} be forced) - ${why}`);

/** The records that go when the name of `named` goes: those of its tag, and of its digest when no other tag is left. */
function sameReferences(named: ImageRecord, all: readonly ImageRecord[]): ImageRecord[] {
  const reference = referenceOf(named);
  if (reference === undefined) return [...all];
  const repository = repositoryOf(reference);
  const inRepository = all.filter((record) => {
    const other = referenceOf(record);
    return other !== undefined && repositoryOf(other) === repository;
  });
  const otherTag = inRepository.some((record) => {
    const tag = referenceOf(record)?.tag;
    return tag !== undefined && tag !== reference.tag;
  });
  const same = inRepository.filter((record) => {
    const tag = referenceOf(record)?.tag;
    return tag === reference.tag || (!otherTag && (tag === undefined || reference.tag === undefined));
  });
  return [
    ...same,
    ...(same.length === inRepository.length &&
    inRepository.length === all.filter((record) => !isDangling(record)).length
      ? all.filter(isDangling)
      : []),
  ];
}

async function untag(context: ImagesContext, records: readonly ImageRecord[]): Promise<ImageDeleteResponseItem[]> {
  const items: ImageDeleteResponseItem[] = [];
  for (const record of records) {
    const labels = await labelsOf(context, record);
    await removeRecord(context, record);
    if (!isDangling(record)) items.push(untagged(context, record, labels));
  }
  return items;
}

/** @throws Conflict when a container, or with `soft` also another name, keeps the image */
function checkConflicts(
  context: ImagesContext,
  id: string,
  all: readonly ImageRecord[],
  checks: { stopped: boolean; names: boolean },
): void {
  const using = context.containers().filter(({ imageId }) => imageId === id);
  const running = using.find((container) => container.running);
  if (running !== undefined) {
    throw conflict(shortId(id), "cannot", `image is being used by running container ${shortId(running.id)}`);
  }
  const [stopped] = using;
  if (checks.stopped && stopped !== undefined) {
    throw conflict(shortId(id), "must", `image is being used by stopped container ${shortId(stopped.id)}`);
  }
  if (checks.names && all.filter((record) => !isDangling(record)).length > 1) {
    throw conflict(shortId(id), "must", "image is referenced in multiple repositories");
  }
}

/** Nameless images that `record` was made from, nearest first, as long as nothing else needs them. */
async function danglingParents(context: ImagesContext, record: ImageRecord): Promise<ImageRecord[]> {
  const parents: ImageRecord[] = [];
  let id = record.labels[parentLabel];
  while (id !== undefined && !parents.some(({ target }) => target.digest === id)) {
    const records = await recordsOf(context, id);
    const [parent] = records;
    if (parent === undefined || !records.every(isDangling)) break;
    if (context.containers().some(({ imageId }) => imageId === id)) break;
    parents.push(parent);
    id = parent.labels[parentLabel];
  }
  return parents;
}

async function deleteAll(
  context: ImagesContext,
  { record, all }: FoundImage,
  checks: { stopped: boolean; names: boolean },
  prune: boolean,
): Promise<ImageDeleteResponseItem[]> {
  const id = record.target.digest;
  checkConflicts(context, id, all, checks);
  const parents = prune ? await danglingParents(context, record) : [];
  const named = all.filter((each) => !isDangling(each));
  const labels = await labelsOf(context, record);
  await removeRecords(context, [...named, ...all.filter(isDangling), ...parents]);
  return [
    ...named.map((each) => untagged(context, each, labels)),
    deleted(context, id),
    ...parents.map((parent) => deleted(context, parent.target.digest)),
  ];
}

/** Removes records; what only they kept is collected when this resolves. */
export async function removeRecords(context: ImagesContext, records: readonly ImageRecord[]): Promise<void> {
  for (const [position, record] of records.entries())
    await removeRecord(context, record, position === records.length - 1);
}

/** Tells that a name of an image with these labels is gone, and how Docker lists it. */
export function untagged(
  context: ImagesContext,
  record: ImageRecord,
  labels: Readonly<Record<string, string>>,
): ImageDeleteResponseItem {
  const id = record.target.digest;
  context.emit("image", "untag", { ID: id, Attributes: { ...labels, name: id } });
  return { Untagged: isDangling(record) ? id : familiarOf(record) };
}

/** Tells that an image is gone, and how Docker lists it. */
export function deleted(context: ImagesContext, id: string): ImageDeleteResponseItem {
  context.emit("image", "delete", { ID: id, Attributes: { name: id } });
  return { Deleted: id };
}

async function removeName(
  context: ImagesContext,
  found: FoundImage,
  options: RemoveOptions,
): Promise<ImageDeleteResponseItem[]> {
  const { record, all } = found;
  const same = sameReferences(record, all);
  if (same.length !== all.length) return untag(context, same);
  const id = record.target.digest;
  const user = context
    .containers()
    .find(({ imageId, mounted }) => imageId === id || mounted.some((image) => image.imageId === id));
  if (user === undefined) return deleteAll(context, found, { stopped: !options.force, names: false }, options.prune);
  if (!options.force) {
    const reference = referenceOf(record);
    const shown = reference === undefined ? record.name : familiarString(tagNameOnly(reference));
    throw conflict(shown, "must", `container ${shortId(user.id)} is using its referenced image ${shortId(id)}`);
  }
  for (const each of same) if (!isDangling(each)) await keepDangling(context, each);
  await keepDangling(context, { ...record, name: "" });
  return untag(
    context,
    same.filter((each) => !isDangling(each)),
  );
}

async function removePlatforms(
  context: ImagesContext,
  { record }: FoundImage,
  shown: string,
  platforms: readonly Platform[],
): Promise<ImageDeleteResponseItem[]> {
  const manifests = await readManifests(context, record.target);
  const chosen = platforms.map((wanted) => {
    const manifest = manifests.find(
      ({ platform, kind }) => kind === "image" && platform !== undefined && isSamePlatform(platform, wanted),
    );
    if (manifest === undefined) {
      throw new NotFound(
        `image with reference ${shown} was found but does not provide the specified platform (${formatAsGiven(wanted)})`,
      );
    }
    return manifest;
  });
  const items: ImageDeleteResponseItem[] = [];
  for (const { descriptor, available } of chosen) {
    if (!available) continue;
    await context.containerd.content.delete({ digest: descriptor.digest });
    items.push({ Deleted: descriptor.digest });
  }
  await emitImage(context, "delete", record);
  return items;
}

/** Whether the user wrote the image's ID or the beginning of it. */
function isIdPrefix(id: string, refOrId: string): boolean {
  return id.startsWith(refOrId) || id.startsWith(`sha256:${refOrId}`);
}

/**
 * Removes a name; the image goes with its last one. By ID, the image goes with all its names.
 * @returns what was untagged and deleted, in that order
 * @throws NotFound, Conflict with Docker's messages; nothing is removed then
 */
export async function removeImage(
  context: ImagesContext,
  refOrId: string,
  options: RemoveOptions,
): Promise<ImageDeleteResponseItem[]> {
  const { platforms = [] } = options;
  if (refOrId.trim() === "") throw new InvalidArgument("image name cannot be blank");
  if (platforms.length > 0 && !options.force) {
    throw new InvalidArgument(
      "Content will be removed from all images referencing this variant. Use —-force to force delete.",
    );
  }
  const found = await findImage(context, refOrId);
  if (platforms.length > 0) return removePlatforms(context, found, refOrId, platforms);
  const byDigest = !found.byId && parseNormalized(refOrId).digest !== undefined;
  if (found.byId || byDigest || isIdPrefix(found.record.target.digest, refOrId)) {
    const same = byDigest ? sameReferences({ ...found.record, name: refOrId }, found.all) : [...found.all];
    if (byDigest && same.length > 0 && same.length !== found.all.length) return untag(context, same);
    const names = !options.force && !(byDigest && same.length === found.all.length);
    return deleteAll(context, found, { stopped: !options.force, names }, options.prune);
  }
  return removeName(context, found, options);
}
