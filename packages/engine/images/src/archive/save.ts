import {
  createRecord,
  exportImages,
  getRecord,
  type ImageRecord,
  listRecords,
  removeRecord,
} from "@longshore/containerd-client";
import { InvalidArgument, NotFound, isKind, messageOf } from "@longshore/errdefs";
import type { Platform } from "@longshore/oci";
import { parseAnyReference, repositoryOf } from "@longshore/reference";
import type { ImagesContext } from "../model/context.ts";
import { emitImage } from "../model/events.ts";
import { findImage } from "../model/find.ts";
import { chooseManifest, readManifests } from "../model/manifests.ts";
import { danglingName, familiarOf, referenceOf } from "../model/records.ts";

/**
 * The records that a name given to `docker save` means: a repository without a tag stands for all its tags. An image
 * that is asked for by its digest, alone or behind a name, goes without a name.
 */
async function recordsFor(
  context: ImagesContext,
  refOrId: string,
): Promise<{ records: ImageRecord[]; nameless: boolean }> {
  const parsed = parseAnyReference(refOrId);
  const ofRepository =
    parsed.kind === "name" && parsed.reference.tag === undefined && parsed.reference.digest === undefined;
  if (ofRepository) {
    const repository = repositoryOf(parsed.reference);
    const records = (await listRecords(context)).filter((record) => {
      const reference = referenceOf(record);
      return reference?.tag !== undefined && repositoryOf(reference) === repository;
    });
    if (records.length > 0) return { records, nameless: false };
  }
  try {
    const { record, byId } = await findImage(context, refOrId);
    return { records: [record], nameless: byId || (parsed.kind === "name" && parsed.reference.digest !== undefined) };
  } catch (error) {
    if (ofRepository && isKind(error, "NotFound")) throw new NotFound(`No such image: ${refOrId}`, { cause: error });
    throw error;
  }
}

async function checkPlatform(
  context: ImagesContext,
  record: ImageRecord,
  platform: Platform | undefined,
): Promise<void> {
  if (platform === undefined) return;
  try {
    chooseManifest(context, await readManifests(context, record.target), familiarOf(record), platform);
  } catch (error) {
    throw new NotFound(`no suitable export target found: ${messageOf(error)}`, { cause: error });
  }
}

/** Names of records to export. */
async function exportNames(
  context: ImagesContext,
  names: readonly string[],
  platform: Platform | undefined,
  undo: AsyncDisposableStack,
): Promise<{ names: string[]; records: ImageRecord[] }> {
  const chosen: string[] = [];
  const all: ImageRecord[] = [];
  for (const name of names) {
    const { records, nameless } = await recordsFor(context, name);
    for (const record of records) {
      await checkPlatform(context, record, platform);
      all.push(record);
      chosen.push(nameless ? await withoutName(context, record, undo) : record.name);
    }
  }
  return { names: [...new Set(chosen)], records: all };
}

async function withoutName(context: ImagesContext, record: ImageRecord, undo: AsyncDisposableStack): Promise<string> {
  const name = danglingName(record.target.digest);
  if ((await getRecord(context, name)) !== undefined) return name;
  const { mediaType, digest, size } = record.target;
  await createRecord(context, { name, labels: {}, target: { mediaType, digest, size } });
  undo.defer(() => removeRecord(context, { ...record, name }));
  return name;
}

/**
 * Streams images as one archive that every engine can load.
 * @param names IDs or names
 * @param options.platform only this one of an index
 * @throws NotFound before the first byte
 */
export async function saveImages(
  context: ImagesContext,
  names: readonly string[],
  options: { platform?: Platform | undefined; signal: AbortSignal },
): Promise<AsyncIterable<Uint8Array>> {
  if (names.length === 0) throw new InvalidArgument("no image name to export");
  const undo = new AsyncDisposableStack();
  try {
    const chosen = await exportNames(context, names, options.platform, undo);
    return archive(context, chosen, options, undo);
  } catch (error) {
    await undo.disposeAsync();
    throw error;
  }
}

async function* archive(
  context: ImagesContext,
  { names, records }: { names: string[]; records: ImageRecord[] },
  { platform, signal }: { platform?: Platform | undefined; signal: AbortSignal },
  undo: AsyncDisposableStack,
): AsyncGenerator<Uint8Array> {
  await using _ = undo;
  yield* exportImages(context, { names, platform, signal });
  for (const record of records) await emitImage(context, "save", record);
}
