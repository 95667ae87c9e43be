import type { Any } from "@bufbuild/protobuf/wkt";
import {
  getRecord,
  platformMessage,
  transfer,
  transferReason,
  transferReasons,
  withLease,
} from "@longshore/containerd-client";
import { InvalidArgument, NotFound, messageOf } from "@longshore/errdefs";
import type { Platform } from "@longshore/oci";
import { packAny } from "@longshore/proto";
import { ImageStoreSchema, type Progress } from "@longshore/proto/containerd/types/transfer/transfer";
import {
  familiarName,
  familiarString,
  format,
  isDigest,
  parseNormalized,
  type Reference,
  withDigest,
  withTag,
} from "@longshore/reference";
import type { ImagesContext, RegistryCall } from "../model/context.ts";
import type { ProgressOutput } from "../model/contract.ts";
import { emitReference } from "../model/events.ts";
import { formatAsGiven } from "../model/manifests.ts";
import { keepDangling, recordsOf } from "../model/records.ts";
import { registryClient } from "./registry.ts";
import { registryFailure, withRegistry } from "./transfer.ts";

export interface PullRequest {
  /** `fromImage` */
  readonly image: string;
  /** Empty, a tag or a digest. */
  readonly tag: string;
  readonly platform?: Platform;
}

/** Digest of the layer that a message is about, as Docker shows it; undefined for other blobs. */
export function layerId({ name }: Progress): string | undefined {
  return /^layer-sha256:([0-9a-f]{12})/.exec(name)?.[1];
}

/** Turns containerd's progress into Docker's lines; layers that are here already are not told of. */
export function pullProgress(output: ProgressOutput): (progress: Progress) => void {
  const begun = new Set<string>();
  const done = { hidecounts: true };
  return (progress) => {
    const id = layerId(progress);
    if (id === undefined) return;
    const { event } = progress;
    if (event === "already exists") return;
    if (!begun.has(id) && event !== "waiting") {
      begun.add(id);
      output({ status: "Pulling fs layer", progressDetail: {}, id });
    }
    if (event === "downloading") {
      output({
        status: "Downloading",
        progressDetail: { current: Number(progress.progress), total: Number(progress.total) },
        id,
      });
    } else if (event === "complete") {
      output({ status: "Download complete", progressDetail: done, id });
    } else if (event === "extracting") {
      output({ status: "Extracting", progressDetail: { current: 1, units: "s" }, id });
    } else if (event === "extracted") {
      output({ status: "Pull complete", progressDetail: done, id });
    }
  };
}

/** @throws InvalidArgument when `image` and `tag` make no name */
function referenceFor({ image, tag }: PullRequest): Reference {
  const reference = parseNormalized(image);
  if (tag === "") return reference;
  return isDigest(tag) ? withDigest({ domain: reference.domain, path: reference.path }, tag) : withTag(reference, tag);
}

interface Pull {
  readonly context: ImagesContext;
  readonly reference: Reference;
  readonly platform: Platform;
  readonly call: RegistryCall;
  readonly output: ProgressOutput;
}

/** The transfer itself. An image of one manifest comes whatever its platform, as with Docker, but is unpacked only for the wanted one. */
async function fetchImage(
  { context, reference, platform, call }: Pull,
  onProgress: (progress: Progress) => void,
): Promise<void> {
  const destination = (unpack: boolean): Any =>
    packAny(ImageStoreSchema, {
      name: format(reference),
      platforms: [platformMessage(platform)],
      unpacks: unpack ? [{ platform: platformMessage(platform), snapshotter: context.snapshotter }] : [],
    });
  const run = (unpack: boolean): Promise<void> =>
    withRegistry(context, reference, call, (source) =>
      transfer(context, {
        source,
        destination: destination(unpack),
        onProgress,
        signal: call.signal,
        concurrency: context.limits.downloads,
      }),
    );
  try {
    await run(true).catch((error: unknown) => {
      if (transferReason(error) === transferReasons.notUnpacked) return run(false);
      throw error;
    });
  } catch (error) {
    if (transferReason(error) === transferReasons.noPlatform) {
      throw new NotFound(
        `no matching manifest for ${formatAsGiven(platform)} in the manifest list entries: ${messageOf(error)}`,
        { cause: error },
      );
    }
    throw registryFailure(error, reference);
  }
}

async function pullOne(pull: Pull): Promise<void> {
  const { context, reference, output } = pull;
  const name = format(reference);
  const before = await getRecord(context, name);
  const known = reference.digest !== undefined && (await recordsOf(context, reference.digest)).length > 0;
  const shown = familiarString(reference);
  const lines = pullProgress(output);
  let announced = false;
  const onProgress = (progress: Progress): void => {
    // The first line says that the name was found; until then, a failure is a plain HTTP error.
    if (!announced && progress.event === "fetching image content") {
      announced = true;
      output({
        status: `Pulling from ${reference.path}`,
        id: reference.digest === undefined ? (reference.tag ?? "") : shown,
      });
    }
    lines(progress);
  };
  await withLease(context, async (lease) => {
    if (before !== undefined) {
      await context.containerd.leases.addResource({
        id: lease.id,
        resource: { id: before.target.digest, type: "content" },
      });
    }
    await fetchImage(pull, onProgress);
    const digest = (await getRecord(context, name))?.target.digest;
    if (before !== undefined && before.target.digest !== digest) await keepDangling(context, { ...before, name: "" });
    output({ status: `Digest: ${digest ?? ""}` });
    const isOld = known || before?.target.digest === digest;
    output({
      status: isOld ? `Status: Image is up to date for ${shown}` : `Status: Downloaded newer image for ${shown}`,
    });
    await emitReference(context, "pull", shown, familiarName(reference), digest);
  });
}

async function allTags(context: ImagesContext, reference: Reference, call: RegistryCall): Promise<string[]> {
  try {
    return await registryClient(context, call).tags(reference, call.signal);
  } catch (error) {
    throw registryFailure(error, reference);
  }
}

/**
 * Pulls an image for one platform, by default this machine's; without tag and digest all tags of
 * the repository. Nothing is recorded of a pull that fails.
 * @throws NotFound, InvalidArgument, Unauthenticated, PermissionDenied, Unknown; before the first
 *   line when the registry does not know the name
 */
export async function pullImage(
  context: ImagesContext,
  request: PullRequest,
  call: RegistryCall,
  output: ProgressOutput,
): Promise<void> {
  if (request.image === "") throw new InvalidArgument("invalid reference format");
  const reference = referenceFor(request);
  const platform = request.platform ?? context.platform;
  if (reference.tag !== undefined || reference.digest !== undefined) {
    await pullOne({ context, reference, platform, call, output });
    return;
  }
  for (const tag of await allTags(context, reference, call)) {
    await pullOne({ context, reference: withTag(reference, tag), platform, call, output });
  }
}
