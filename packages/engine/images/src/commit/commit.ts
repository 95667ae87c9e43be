import { createHash, randomBytes } from "node:crypto";
import { blobInfo, type Lease, withLease } from "@longshore/containerd-client";
import type { ContainerConfig } from "@longshore/docker-api";
import { NotFound } from "@longshore/errdefs";
import { type Descriptor, mediaTypes, type Platform } from "@longshore/oci";
import { familiarString, type Reference } from "@longshore/reference";
import { applyChanges } from "../changes/changes.ts";
import type { ImagesContext } from "../model/context.ts";
import { emitImage } from "../model/events.ts";
import { parentLabel } from "../views/inspect.ts";
import { type MadeLayer, makeManifest } from "./make-image.ts";
import { type ImageDocument, readManifests } from "../model/manifests.ts";
import { imageConfigOf, mergeConfig, withoutEmpty } from "./merge-config.ts";
import { danglingName, putRecord, recordsOf } from "../model/records.ts";
import { nameImage, parseRepoTag } from "../manage/tag.ts";

export interface CommitRequest {
  readonly containerId: string;
  /** The container's snapshot. */
  readonly snapshotKey: string;
  /** The container's configuration. */
  readonly config: ContainerConfig;
  /** Its first process, for the history. */
  readonly command: readonly string[];
  /** The ID of its image, and the manifest that it runs; a container without an image has neither. */
  readonly imageId: string;
  readonly manifest: Descriptor | undefined;
  /** What the container runs on. */
  readonly platform: Platform;
  readonly author: string;
  readonly comment: string;
  readonly repo: string;
  readonly tag: string;
  /** Dockerfile instructions. */
  readonly changes: readonly string[];
  /** What the request itself says about the new image. */
  readonly requested: Partial<ContainerConfig>;
}

/** A tar without entries: its two closing blocks. */
const emptyTar = `sha256:${createHash("sha256").update(Buffer.alloc(1024)).digest("hex")}`;

/** What the container wrote, as a layer; undefined when it wrote nothing. */
async function diffLayer(context: ImagesContext, lease: Lease, key: string): Promise<MadeLayer | undefined> {
  const { containerd, snapshotter } = context;
  // Its snapshot may stand on more than the image: the engine's own mount points are not its work.
  const parent = (await containerd.snapshots.stat({ snapshotter, key })).info?.parent ?? "";
  const view = `commit-${randomBytes(8).toString("hex")}`;
  const { mounts: right } = await containerd.snapshots.mounts({ snapshotter, key });
  const { mounts: left } = await containerd.snapshots.view({ snapshotter, key: view, parent }, lease.options);
  try {
    const { diff } = await containerd.diff.diff(
      { left, right, mediaType: mediaTypes.ociLayerGzip, ref: view },
      lease.options,
    );
    if (diff === undefined) return undefined;
    const { digest, mediaType, size } = diff;
    const diffId = (await blobInfo(context, digest))?.labels["containerd.io/uncompressed"] ?? "";
    return diffId === emptyTar ? undefined : { descriptor: { mediaType, digest, size: Number(size) }, diffId };
  } finally {
    await containerd.snapshots.remove({ snapshotter, key: view });
  }
}

async function readParent(
  context: ImagesContext,
  { imageId, manifest, platform }: CommitRequest,
): Promise<{ document: ImageDocument; layers: Descriptor[] }> {
  if (manifest === undefined)
    return { document: { ...platform, rootfs: { type: "layers", diff_ids: [] }, history: [] }, layers: [] };
  const [parent] = await readManifests(context, manifest);
  if (parent?.document === undefined || parent.manifest === undefined) throw new NotFound(`No such image: ${imageId}`);
  return { document: parent.document, layers: parent.manifest.layers };
}

async function record(
  context: ImagesContext,
  target: Descriptor,
  imageId: string,
  reference: Reference | undefined,
): Promise<void> {
  const image = { target, labels: imageId === "" ? {} : { [parentLabel]: imageId } };
  const existing = await recordsOf(context, target.digest);
  if (reference === undefined && existing.length === 0)
    await putRecord(context, { name: danglingName(target.digest), ...image });
  await emitImage(context, "create", image);
  if (reference !== undefined) await nameImage(context, image, reference);
}

/**
 * Makes an image of a container: its image's layers and what it wrote since.
 * @returns the image's ID, and the name it got, if any
 * @throws InvalidArgument for a bad name or change, NotFound when the container's image is gone
 */
export async function commitImage(
  context: ImagesContext,
  request: CommitRequest,
): Promise<{ id: string; name: string }> {
  const reference = parseRepoTag(request.repo, request.tag);
  const own = imageConfigOf(request.config);
  // The changes are made to what the request says of the image, else to what the container has.
  const base = Object.keys(request.requested).length === 0 ? own : imageConfigOf(request.requested);
  const config = withoutEmpty(mergeConfig(applyChanges(base, request.changes), own));
  return withLease(context, async (lease) => {
    const { document, layers } = await readParent(context, request);
    const layer = await diffLayer(context, lease, request.snapshotKey);
    const created = new Date().toISOString();
    const { author, comment } = request;
    const step = {
      created,
      created_by: request.command.join(" "),
      ...(author === "" ? {} : { author }),
      ...(comment === "" ? {} : { comment }),
      ...(layer === undefined ? { empty_layer: true } : {}),
    };
    const target = await makeManifest(
      context,
      lease,
      {
        ...document,
        created,
        ...(author === "" ? {} : { author }),
        config,
        rootfs: {
          type: "layers",
          diff_ids: [...document.rootfs.diff_ids, ...(layer === undefined ? [] : [layer.diffId])],
        },
        history: [...(document.history ?? []), step],
      },
      [...layers, ...(layer === undefined ? [] : [layer.descriptor])],
    );
    await record(context, target, request.imageId, reference);
    return { id: target.digest, name: reference === undefined ? "" : familiarString(reference) };
  });
}
