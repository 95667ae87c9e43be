import { timestampDate } from "@bufbuild/protobuf/wkt";
import { isKind } from "@longshore/errdefs";
import type { Descriptor } from "@longshore/oci";
import type { Image } from "@longshore/proto/containerd/services/images/v1/images";
import { familiarString, parseNormalized, type Reference } from "@longshore/reference";
import type { ImagesContext } from "./context.ts";

/** One of containerd's image records: a name for a manifest or index. Several may name the same. */
export interface ImageRecord {
  readonly name: string;
  readonly target: Descriptor;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const danglingPrefix = "moby-dangling";

/** The record that keeps an image without a name. */
export const danglingName = (digest: string): string => `${danglingPrefix}@${digest}`;

export const isDangling = ({ name }: Pick<ImageRecord, "name">): boolean => name.startsWith(`${danglingPrefix}@`);

/** The record's name as a reference; undefined for dangling ones and other names that no user could give. */
export function referenceOf(record: Pick<ImageRecord, "name">): Reference | undefined {
  if (isDangling(record)) return undefined;
  try {
    return parseNormalized(record.name);
  } catch {
    return undefined;
  }
}

/** The record's name as Docker shows it. */
export function familiarOf(record: Pick<ImageRecord, "name">): string {
  const reference = referenceOf(record);
  return reference === undefined ? record.name : familiarString(reference);
}

function toRecord({ name, labels, target, createdAt, updatedAt }: Image): ImageRecord {
  const { mediaType = "", digest = "", size = 0n, annotations = {} } = target ?? {};
  const hasAnnotations = Object.keys(annotations).length > 0;
  return {
    name,
    labels,
    target: { mediaType, digest, size: Number(size), ...(hasAnnotations ? { annotations } : {}) },
    createdAt: createdAt === undefined ? new Date(0) : timestampDate(createdAt),
    updatedAt: updatedAt === undefined ? new Date(0) : timestampDate(updatedAt),
  };
}

function toMessage({ name, target, labels }: Pick<ImageRecord, "name" | "target" | "labels">): {
  name: string;
  labels: Record<string, string>;
  target: { mediaType: string; digest: string; size: bigint; annotations: Record<string, string> };
} {
  const { mediaType, digest, size, annotations = {} } = target;
  return { name, labels: { ...labels }, target: { mediaType, digest, size: BigInt(size), annotations } };
}

/** All records, or those that match one of containerd's filters. */
export async function listRecords({ containerd }: ImagesContext, ...filters: string[]): Promise<ImageRecord[]> {
  const { images } = await containerd.images.list({ filters });
  return images.map(toRecord);
}

/** All names of one image. */
export function recordsOf(context: ImagesContext, digest: string): Promise<ImageRecord[]> {
  return listRecords(context, `target.digest==${digest}`);
}

export async function getRecord({ containerd }: ImagesContext, name: string): Promise<ImageRecord | undefined> {
  try {
    const { image } = await containerd.images.get({ name });
    return image === undefined ? undefined : toRecord(image);
  } catch (error) {
    if (isKind(error, "NotFound")) return undefined;
    throw error;
  }
}

/**
 * Gives an image a name. When the name belonged to another image that has no other one, that image
 * stays as a dangling one.
 */
export async function putRecord(
  context: ImagesContext,
  record: Pick<ImageRecord, "name" | "target" | "labels">,
): Promise<void> {
  const before = await getRecord(context, record.name);
  if (before !== undefined && before.target.digest !== record.target.digest) await keepDangling(context, before);
  await storeRecord(context, record);
}

async function storeRecord(
  { containerd }: ImagesContext,
  record: Pick<ImageRecord, "name" | "target" | "labels">,
): Promise<void> {
  const image = toMessage(record);
  for (;;) {
    try {
      await containerd.images.create({ image });
      return;
    } catch (error) {
      if (!isKind(error, "AlreadyExists")) throw error;
    }
    try {
      await containerd.images.update({ image, updateMask: { paths: ["target", "labels"] } });
      return;
    } catch (error) {
      // Deleted in between: create it after all.
      if (!isKind(error, "NotFound")) throw error;
    }
  }
}

/** Makes the image of a name that is about to go survive as a dangling one, unless it has other names. */
export async function keepDangling(context: ImagesContext, record: ImageRecord): Promise<void> {
  const others = (await recordsOf(context, record.target.digest)).filter(({ name }) => name !== record.name);
  if (others.length > 0) return;
  await storeRecord(context, {
    name: danglingName(record.target.digest),
    target: record.target,
    labels: record.labels,
  });
}

/** Removes a name, if it still names what it did. @param sync waits until what it kept is collected */
export async function removeRecord({ containerd }: ImagesContext, record: ImageRecord, sync = false): Promise<void> {
  const { target } = toMessage(record);
  try {
    await containerd.images.delete({ name: record.name, sync, target });
  } catch (error) {
    if (!isKind(error, "NotFound")) throw error;
  }
}
