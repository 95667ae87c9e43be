import { timestampDate } from "@bufbuild/protobuf/wkt";
import { isKind } from "@longshore/errdefs";
import type { Descriptor } from "@longshore/oci";
import type { Image } from "@longshore/proto/containerd/services/images/v1/images";
import type { ClientContext } from "../connection/context.ts";

type Context = Pick<ClientContext, "containerd">;

/** One of containerd's image records: a name for a manifest or index. Several may name the same. */
export interface ImageRecord {
  readonly name: string;
  readonly target: Descriptor;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: Date;
  readonly updatedAt: Date;
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
export async function listRecords({ containerd }: Context, ...filters: string[]): Promise<ImageRecord[]> {
  const { images } = await containerd.images.list({ filters });
  return images.map(toRecord);
}

export async function getRecord({ containerd }: Context, name: string): Promise<ImageRecord | undefined> {
  try {
    const { image } = await containerd.images.get({ name });
    return image === undefined ? undefined : toRecord(image);
  } catch (error) {
    if (isKind(error, "NotFound")) return undefined;
    throw error;
  }
}

/** Records an image under a name that no image has. @throws AlreadyExists */
export async function createRecord(
  { containerd }: Context,
  record: Pick<ImageRecord, "name" | "target" | "labels">,
): Promise<void> {
  await containerd.images.create({ image: toMessage(record) });
}

/** Has a name mean this image, whatever it meant before. */
export async function storeRecord(
  { containerd }: Context,
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

/** Removes a name, if it still names what it did. @param sync waits until what it kept is collected */
export async function removeRecord({ containerd }: Context, record: ImageRecord, sync = false): Promise<void> {
  const { target } = toMessage(record);
  try {
    await containerd.images.delete({ name: record.name, sync, target });
  } catch (error) {
    if (!isKind(error, "NotFound")) throw error;
  }
}
