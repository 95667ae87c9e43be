import { createHash } from "node:crypto";
import { isKind } from "@longshore/errdefs";
import type { ContainerUsage, ResolvedImage } from "@longshore/images";
import type { MountRecord } from "@longshore/docker-spec";
import { bindBelow, mountFor, placeOf } from "./bound-paths.ts";
import type { Container } from "../model/container.ts";
import type { Context } from "../model/context.ts";
import { rootMounts } from "./rootfs.ts";

/** The snapshot, a read-only view, through which a container sees an image at `destination`. */
function viewOf(id: string, destination: string): string {
  return `${id}-image-${createHash("sha256").update(destination).digest("hex").slice(0, 16)}`;
}

/** Mounts of type image with the images that they name. */
export type MountedImages = ReadonlyMap<MountRecord, ResolvedImage>;

/** Finds the images, and notes in the container's records which they are now and where they will be seen. @throws NotFound `No such image: x:latest` */
export async function findMountedImages(
  context: Context,
  id: string,
  mounts: readonly MountRecord[],
): Promise<MountedImages> {
  const images = new Map<MountRecord, ResolvedImage>();
  for (const mount of mounts) {
    if (mount.Type !== "image") continue;
    const image = await context.images.resolve(mount.Name);
    // The host configuration has the name that was asked for, and shares the object.
    mount.Spec = { ...mount.Spec, Source: image.id };
    mount.Source = placeOf(context, id, mount.Destination, "root");
    images.set(mount, image);
  }
  return images;
}

/** The images that a container uses: its own, and those that are mounted in it. */
export function imageUsage({ id, record }: Container): ContainerUsage {
  const mounts = Object.values(record.MountPoints).filter(({ Type }) => Type === "image");
  const mounted = mounts.map(({ Name, Spec }) => ({ imageId: Spec.Source ?? "", image: Name }));
  return { id, imageId: record.Image, image: record.Config.Image, mounted, running: record.State.Running };
}

/** What the container's record in containerd says so that the garbage collector keeps the views. */
export function viewLabels(context: Context, id: string, images: MountedImages): Record<string, string> {
  return Object.fromEntries(
    [...images.keys()].map(({ Destination }, index) => [
      `containerd.io/gc.ref.snapshot.${context.settings.snapshotter}/mount-${index}`,
      viewOf(id, Destination),
    ]),
  );
}

/** Makes the views; they go with the container. */
export async function createViews(context: Context, id: string, images: MountedImages): Promise<void> {
  for (const [{ Destination }, image] of images) {
    await context.images.unpack(image);
    await context.containerd.snapshots.view({
      snapshotter: context.settings.snapshotter,
      key: viewOf(id, Destination),
      parent: image.chainId,
    });
  }
}

export async function removeViews(context: Context, id: string, mounts: readonly MountRecord[]): Promise<void> {
  for (const { Type, Destination } of mounts) {
    if (Type !== "image") continue;
    await context.containerd.snapshots
      .remove({ snapshotter: context.settings.snapshotter, key: viewOf(id, Destination) })
      .catch((error: unknown) => {
        if (!isKind(error, "NotFound")) throw error;
      });
  }
}

/**
 * Mounts the image on the host.
 * @param owner in whose name it is mounted, see `releaseBound`: the container itself for a start
 * @returns the paths of the whole and of what is asked for of it
 * @throws NotFound, InvalidArgument for the subpath
 */
export async function mountImage(
  context: Context,
  id: string,
  record: MountRecord,
  owner = id,
): Promise<{ whole: string; path: string }> {
  const whole = await mountFor(
    context,
    owner,
    record.Destination,
    await rootMounts(context, viewOf(id, record.Destination)),
  );
  const subpath = record.Spec.ImageOptions?.Subpath ?? "";
  return { whole, path: subpath === "" ? whole : await bindBelow(context, owner, record.Destination, whole, subpath) };
}
