import { type ImageRecord } from "@longshore/containerd-client";
import type { ImagesContext } from "./context.ts";
import { chooseManifest, readManifests } from "./manifests.ts";
import { recordsOf } from "./records.ts";

/** The labels of an image's configuration, which its events carry; to be asked for while it is there. */
export async function labelsOf(
  context: ImagesContext,
  { target }: Pick<ImageRecord, "target">,
): Promise<Record<string, string>> {
  try {
    const manifests = await readManifests(context, target);
    return { ...chooseManifest(context, manifests, target.digest).document?.config?.Labels };
  } catch (error) {
    context.log.debug({ err: error, image: target.digest }, "the labels of an event's image could not be read");
    return {};
  }
}

/** Publishes an event of an image. @param name is what the event is about; by default the image's ID */
export async function emitImage(
  context: ImagesContext,
  action: string,
  image: Pick<ImageRecord, "target">,
  name: string = image.target.digest,
): Promise<void> {
  const labels = await labelsOf(context, image);
  context.emit("image", action, { ID: image.target.digest, Attributes: { ...labels, name } });
}

/** Publishes an event about a reference, which need not be here: pull and push. */
export async function emitReference(
  context: ImagesContext,
  action: string,
  reference: string,
  name: string,
  digest: string | undefined,
): Promise<void> {
  const [record] = digest === undefined ? [] : await recordsOf(context, digest);
  const labels = record === undefined ? {} : await labelsOf(context, record);
  context.emit("image", action, { ID: reference, Attributes: { ...labels, name } });
}
