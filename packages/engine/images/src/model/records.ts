import { type ImageRecord, getRecord, listRecords, storeRecord } from "@longshore/containerd-client";
import { familiarString, parseNormalized, type Reference } from "@longshore/reference";
import type { ImagesContext } from "./context.ts";

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

/** All names of one image. */
export function recordsOf(context: ImagesContext, digest: string): Promise<ImageRecord[]> {
  return listRecords(context, `target.digest==${digest}`);
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
