import { randomBytes } from "node:crypto";
import {
  createRecord,
  getRecord,
  type ImageRecord,
  listRecords,
  removeRecord,
  transfer,
} from "@longshore/containerd-client";
import { NotFound } from "@longshore/errdefs";
import { type Descriptor, type Platform, isIndex } from "@longshore/oci";
import { packAny } from "@longshore/proto";
import { ImageStoreSchema, type Progress } from "@longshore/proto/containerd/types/transfer/transfer";
import {
  familiarName,
  familiarString,
  format,
  parseNormalized,
  repositoryOf,
  type Reference,
  withTag,
} from "@longshore/reference";
import type { ImagesContext, RegistryCall } from "../model/context.ts";
import type { ProgressOutput } from "../model/contract.ts";
import { emitReference } from "../model/events.ts";
import { chooseManifest, readManifests } from "../model/manifests.ts";
import { layerId } from "./pull.ts";
import { referenceOf } from "../model/records.ts";
import { registryFailure, withRegistry } from "./transfer.ts";

export interface PushRequest {
  readonly image: string;
  /** Empty: the name's own tag, or all tags of the repository. */
  readonly tag: string;
  readonly platform?: Platform;
}

/** Turns containerd's progress into Docker's lines; only layers are told of. */
function pushProgress(output: ProgressOutput): (progress: Progress) => void {
  return (progress) => {
    const id = layerId(progress);
    if (id === undefined) return;
    const { event } = progress;
    const mounted = /^mounted from (.*)$/.exec(event)?.[1];
    if (event === "waiting") output({ status: "Preparing", progressDetail: {}, id });
    else if (event === "uploading") {
      output({
        status: "Pushing",
        progressDetail: { current: Number(progress.progress), total: Number(progress.total) },
        id,
      });
    } else if (event === "already exists") output({ status: "Layer already exists", progressDetail: {}, id });
    else if (mounted !== undefined) output({ status: `Mounted from ${mounted}`, progressDetail: {}, id });
    else if (event === "complete") output({ status: "Pushed", progressDetail: {}, id });
  };
}

/** Milliseconds after which a name that was made for one push goes by itself. */
const temporaryMs = 24 * 60 * 60 * 1000;

/**
 * What to push of an image: all of it, or the one manifest that was asked for or is here.
 * @throws NotFound
 */
async function chooseTarget(
  context: ImagesContext,
  record: ImageRecord,
  shown: string,
  platform: Platform | undefined,
  output: ProgressOutput,
): Promise<Descriptor> {
  const manifests = await readManifests(context, record.target);
  if (platform !== undefined) return chooseManifest(context, manifests, shown, platform).descriptor;
  if (!isIndex(record.target) || manifests.every(({ available }) => available)) return record.target;
  const { descriptor } = chooseManifest(context, manifests, shown);
  output({
    aux: {
      manifestPushedInsteadOfIndex: true,
      originalIndex: record.target,
      selectedManifest: descriptor,
    },
  });
  return descriptor;
}

/** Calls `use` with the name of a record of exactly `target`: the image's own, or one for this time. */
async function withSource<T>(
  context: ImagesContext,
  record: ImageRecord,
  target: Descriptor,
  use: (name: string) => Promise<T>,
): Promise<T> {
  if (target.digest === record.target.digest) return use(record.name);
  const name = `moby-push-${randomBytes(8).toString("hex")}@${target.digest}`;
  const { mediaType, digest, size } = target;
  const labels = { "containerd.io/gc.expire": new Date(Date.now() + temporaryMs).toISOString() };
  await createRecord(context, { name, labels, target: { mediaType, digest, size } });
  try {
    return await use(name);
  } finally {
    await removeRecord(context, { ...record, name, target: { mediaType, digest, size } });
  }
}

async function pushOne(
  context: ImagesContext,
  reference: Reference,
  platform: Platform | undefined,
  call: RegistryCall,
  output: ProgressOutput,
): Promise<void> {
  const shown = familiarString(reference);
  const record = await getRecord(context, format(reference));
  if (record === undefined) throw new NotFound(`tag does not exist: ${shown}`);
  const target = await chooseTarget(context, record, shown, platform, output);
  await withSource(context, record, target, (name) =>
    withRegistry(context, reference, call, (destination) =>
      transfer(context, {
        source: packAny(ImageStoreSchema, { name }),
        destination,
        onProgress: pushProgress(output),
        signal: call.signal,
        concurrency: context.limits.uploads,
      }),
    ),
  ).catch((error: unknown) => {
    throw registryFailure(error, reference);
  });
  const { digest, size } = target;
  const tag = reference.tag ?? "";
  output({ status: `${tag === "" ? digest : tag}: digest: ${digest} size: ${size}` });
  output({ progressDetail: {}, aux: { Tag: tag, Digest: digest, Size: size } });
  await emitReference(context, "push", shown, familiarName(reference), record.target.digest);
}

/** Names of the repository that have a tag. */
async function allTags(context: ImagesContext, repository: Reference): Promise<Reference[]> {
  const names = (await listRecords(context)).map(referenceOf).filter((reference) => reference !== undefined);
  return names.filter(
    (reference) => reference.tag !== undefined && repositoryOf(reference) === repositoryOf(repository),
  );
}

/**
 * Pushes an image, or all tags of a repository.
 * @throws InvalidArgument for what is no name, before the first line; then NotFound `tag does not exist: x`,
 *   errors of the registry
 */
export async function pushImage(
  context: ImagesContext,
  request: PushRequest,
  call: RegistryCall,
  output: ProgressOutput,
): Promise<void> {
  const named = parseNormalized(request.image);
  const reference = request.tag === "" ? named : withTag(named, request.tag);
  output({ status: `The push refers to repository [${repositoryOf(reference)}]` });
  const references =
    reference.tag === undefined && reference.digest === undefined ? await allTags(context, reference) : [reference];
  if (references.length === 0)
    throw new NotFound(`An image does not exist locally with the tag: ${familiarName(reference)}`);
  for (const each of references) await pushOne(context, each, request.platform, call, output);
}
