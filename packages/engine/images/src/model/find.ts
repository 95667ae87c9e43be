import { getRecord, type ImageRecord, listRecords } from "@longshore/containerd-client";
import { NotFound } from "@longshore/errdefs";
import {
  familiarString,
  format,
  parseAnyReference,
  repositoryOf,
  tagNameOnly,
  type AnyReference,
} from "@longshore/reference";
import type { ImagesContext } from "./context.ts";
import { recordsOf, referenceOf } from "./records.ts";

/** What an image was asked by, and what was found. */
export interface FoundImage {
  /** The record whose name was asked for; with an ID, any of the image's. */
  readonly record: ImageRecord;
  /** Every record of the same image. */
  readonly all: readonly ImageRecord[];
  readonly byId: boolean;
}

const shortId = /^(?:sha256:)?([0-9a-f]{4,64})$/;

function noSuchImage(parsed: AnyReference): NotFound {
  const shown = parsed.kind === "digest" ? parsed.digest : familiarString(tagNameOnly(parsed.reference));
  return new NotFound(`No such image: ${shown}`);
}

async function findDigest(context: ImagesContext, parsed: AnyReference, digest: string): Promise<FoundImage> {
  const all = await recordsOf(context, digest);
  if (parsed.kind === "digest") {
    const [record] = all;
    if (record === undefined) throw noSuchImage(parsed);
    return { record, all, byId: true };
  }
  const repository = repositoryOf(parsed.reference);
  const record = all.find((candidate) => {
    const reference = referenceOf(candidate);
    return reference !== undefined && repositoryOf(reference) === repository;
  });
  if (record === undefined) throw noSuchImage(parsed);
  return { record, all, byId: false };
}

/**
 * As `findImage`, for who needs none of the image's other names: a name costs one call.
 * @throws as `findImage`
 */
export async function findRecord(
  context: ImagesContext,
  refOrId: string,
): Promise<Pick<FoundImage, "record" | "byId">> {
  const parsed = parseAnyReference(refOrId);
  if (parsed.kind !== "digest" && parsed.reference.digest === undefined) {
    const record = await getRecord(context, format(tagNameOnly(parsed.reference)));
    if (record !== undefined) return { record, byId: false };
  }
  return findImage(context, refOrId);
}

/**
 * Finds an image by its ID, a prefix of it of at least four digits, its name, or name and digest.
 * @throws NotFound `No such image: x:latest`, InvalidArgument for what is no name
 */
export async function findImage(context: ImagesContext, refOrId: string): Promise<FoundImage> {
  const parsed = parseAnyReference(refOrId);
  const digest = parsed.kind === "digest" ? parsed.digest : parsed.reference.digest;
  if (digest !== undefined) return findDigest(context, parsed, digest);
  if (parsed.kind === "digest") throw noSuchImage(parsed);
  const record = await getRecord(context, format(tagNameOnly(parsed.reference)));
  if (record !== undefined) return { record, all: await recordsOf(context, record.target.digest), byId: false };
  const prefix = shortId.exec(refOrId)?.[1];
  if (prefix === undefined) throw noSuchImage(parsed);
  const all = await listRecords(context, `target.digest~=/^sha256:${prefix}/`);
  const [first] = all;
  if (first === undefined) throw noSuchImage(parsed);
  if (all.some(({ target }) => target.digest !== first.target.digest)) throw new NotFound("ambiguous reference");
  return { record: first, all, byId: true };
}
