import { type ImageRecord, removeRecord } from "@longshore/containerd-client";
import { InvalidArgument } from "@longshore/errdefs";
import {
  familiarName,
  familiarString,
  format,
  parseNormalized,
  tagNameOnly,
  withTag,
  type Reference,
} from "@longshore/reference";
import type { ImagesContext } from "../model/context.ts";
import { emitImage } from "../model/events.ts";
import { findImage } from "../model/find.ts";
import { isDangling, putRecord, recordsOf } from "../model/records.ts";

/**
 * The name that `repo` and `tag` of a request make; undefined without a repository.
 * @throws InvalidArgument as Docker words it
 */
export function parseRepoTag(repo: string, tag: string): Reference | undefined {
  if (repo === "") return undefined;
  const reference = parseNormalized(repo);
  if (reference.digest !== undefined) throw new InvalidArgument("cannot import digest reference");
  // `sha256:abc` would be a name here and the beginning of an ID there.
  if (familiarName(reference) === "sha256")
    throw new InvalidArgument("refusing to create an ambiguous tag using digest algorithm as name");
  return tagNameOnly(tag === "" ? reference : withTag(reference, tag));
}

/** Gives the image one more name; a dangling record of it is no longer needed then. */
export async function nameImage(
  context: ImagesContext,
  image: Pick<ImageRecord, "target" | "labels">,
  reference: Reference,
): Promise<void> {
  await putRecord(context, { name: format(reference), target: image.target, labels: image.labels });
  await emitImage(context, "tag", image, familiarString(reference));
  for (const record of await recordsOf(context, image.target.digest))
    if (isDangling(record)) await removeRecord(context, record);
}

/**
 * Tags an image; another image that had the name keeps living as a dangling one.
 * @throws NotFound, InvalidArgument
 */
export async function tagImage(context: ImagesContext, refOrId: string, repo: string, tag: string): Promise<void> {
  const reference = parseRepoTag(repo, tag);
  const { record } = await findImage(context, refOrId);
  if (reference !== undefined) await nameImage(context, record, reference);
}
