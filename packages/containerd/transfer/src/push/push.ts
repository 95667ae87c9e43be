import { NotFound, isKind } from "@longshore/errdefs";
import type { Scope } from "@longshore/metadata";
import { type Descriptor, DocumentWalk, type Platform, isIndex, isManifest } from "@longshore/oci";
import { format, trimNamed } from "@longshore/reference";
import { type PushResult, isNondistributable, tagOf } from "@longshore/remotes";
import { allOrFirstError } from "@longshore/concurrency";
import type { TransferCall } from "../contract.ts";
import { readIndex, readManifest, refKey } from "../images/documents.ts";
import type { Source } from "../pull/download.ts";
import type { Environment } from "../environment.ts";
import { addSource, sourceLabelKey } from "../images/gc-labels.ts";
import { withLease } from "../lease.ts";
import { ProgressJob } from "../progress/progress-job.ts";
import { chooseManifests } from "../pull/select.ts";

/** How many repositories a blob is tried to be mounted from. */
const maxMounts = 3;

/** What of an image is pushed. */
export interface PushedImage {
  readonly name: string;
  /** Of an index; empty for all of it. */
  readonly platforms: readonly Platform[];
}

interface Push {
  readonly environment: Environment;
  readonly scope: Scope;
  readonly to: Source;
  readonly call: TransferCall;
  readonly platforms: readonly Platform[];
  readonly walk: DocumentWalk;
  /** Documents on their way, by digest: who names one that another names, too, waits until the registry has it. */
  readonly documents: Map<string, Promise<void>>;
}

function eventOf(result: PushResult): string {
  if (result.status === "mounted") return `mounted from ${result.from}`;
  return result.status === "exists" ? "already exists" : "complete";
}

async function mountSources(push: Push, descriptor: Descriptor): Promise<string[]> {
  const { labels } = await push.scope.content.info(descriptor.digest);
  const known = labels[sourceLabelKey(push.to.reference)]?.split(",") ?? [];
  return known.filter((path) => path !== push.to.reference.path).slice(0, maxMounts);
}

/** Whether a blob is left out: layers that may not be passed on and are not here lie elsewhere by their URLs. */
async function isLeftOut(push: Push, descriptor: Descriptor): Promise<boolean> {
  if (!isNondistributable(descriptor.mediaType)) return false;
  try {
    await push.scope.content.info(descriptor.digest);
    return false;
  } catch (error) {
    if (isKind(error, "NotFound")) return true;
    throw error;
  }
}

async function send(
  push: Push,
  job: ProgressJob,
  descriptor: Descriptor,
  signal: AbortSignal,
  tag: { tag?: string },
): Promise<void> {
  const { to, scope } = push;
  const result = await to.registry.push(
    to.reference,
    descriptor,
    (offset) => scope.content.read(descriptor.digest, offset),
    {
      ...tag,
      mountFrom: isManifest(descriptor) || isIndex(descriptor) ? [] : await mountSources(push, descriptor),
      onProgress: (sent) => job.bytes(sent),
      signal,
    },
  );
  await addSource(scope.content, descriptor, to.reference);
  job.end(eventOf(result));
}

async function pushBlob(push: Push, descriptor: Descriptor, parent: string, signal: AbortSignal): Promise<void> {
  if (await isLeftOut(push, descriptor)) return;
  const job = new ProgressJob(push.call.progress, descriptor, parent, "uploading");
  await push.environment.uploadSlots
    .of(push.call.concurrency)
    .run(signal, () => send(push, job, descriptor, signal, {}));
}

/** Pushes a document that an index names, once. */
function pushChild(
  push: Push,
  descriptor: Descriptor,
  parent: string,
  signal: AbortSignal,
  depth: number,
): Promise<void> {
  const isNew = push.walk.enter(descriptor, depth);
  const known = isNew ? undefined : push.documents.get(descriptor.digest);
  const pushed = known ?? pushTree(push, descriptor, parent, signal, {}, depth);
  push.documents.set(descriptor.digest, pushed);
  return pushed;
}

/** Children first: a registry takes a manifest only when it has all that it names. */
async function pushTree(
  push: Push,
  descriptor: Descriptor,
  parent: string,
  signal: AbortSignal,
  tag: { tag?: string },
  depth = 0,
): Promise<void> {
  const { content } = push.scope;
  const job = new ProgressJob(push.call.progress, descriptor, parent, "uploading");
  const own = refKey(descriptor);
  if (isIndex(descriptor)) {
    const index = await readIndex(content, descriptor.digest);
    const chosen = chooseManifests(index, descriptor.digest, {
      platforms: push.platforms,
      allMetadata: false,
      manifestLimit: 0,
    });
    await allOrFirstError(signal, (inner) =>
      chosen.map(async (child) => pushChild(push, child.descriptor, own, inner, depth + 1)),
    );
  } else if (isManifest(descriptor)) {
    const manifest = await readManifest(content, descriptor.digest);
    const blobs = new Map([...manifest.layers, manifest.config].map((blob) => [blob.digest, blob]));
    await allOrFirstError(signal, (inner) => [...blobs.values()].map((blob) => pushBlob(push, blob, own, inner)));
  }
  await send(push, job, descriptor, signal, tag);
}

/**
 * Pushes an image under the name that `to` bears.
 * @throws NotFound for the image or content of it that is missing, errors of the registry
 */
export async function push(
  environment: Environment,
  image: PushedImage,
  to: Source,
  call: TransferCall,
): Promise<void> {
  const name = format(to.reference);
  await withLease(environment.open, call, async (scope) => {
    const { target } = await scope.images.get(image.name);
    call.progress({ event: `Pushing to OCI Registry (${name})` });
    call.progress({ event: "pushing content", name: image.name, desc: target });
    await pushTree(
      { environment, scope, to, call, platforms: image.platforms, walk: new DocumentWalk(), documents: new Map() },
      target,
      image.name,
      call.signal,
      tagOf(to.reference),
    ).catch((error: unknown) => {
      if (isKind(error, "NotFound") && error instanceof NotFound)
        throw new NotFound(`failed to push ${format(trimNamed(to.reference))}: ${error.message}`, { cause: error });
      throw error;
    });
    call.progress({ event: "pushed content", name: image.name, desc: target });
    call.progress({ event: `Completed push to OCI Registry (${name})`, desc: target });
  });
}
