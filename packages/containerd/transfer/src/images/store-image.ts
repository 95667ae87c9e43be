import { NotFound, isKind } from "@longshore/errdefs";
import type { Image, ImageStore } from "@longshore/metadata";
import type { Descriptor } from "@longshore/oci";

/** Gives an image names, moving those that others had. @throws NotFound when there is no name */
export async function storeImage(
  images: ImageStore,
  names: readonly string[],
  target: Descriptor,
  labels: Readonly<Record<string, string>>,
): Promise<Image[]> {
  if (names.length === 0) throw new NotFound("no image name found: not found");
  const { mediaType, digest, size } = target;
  const stored: Image[] = [];
  for (const name of names) {
    const image = {
      name,
      labels: { ...labels },
      target: { mediaType, digest, size, annotations: target.annotations ?? {} },
    };
    stored.push(await createOrUpdate(images, image));
  }
  return stored;
}

async function createOrUpdate(images: ImageStore, image: Omit<Image, "createdAt" | "updatedAt">): Promise<Image> {
  for (;;) {
    try {
      return await images.create(image);
    } catch (error) {
      if (!isKind(error, "AlreadyExists")) throw error;
    }
    try {
      const labels = Object.keys(image.labels).map((key) => `labels.${key}`);
      return await images.update(image, ["target", ...labels]);
    } catch (error) {
      // Deleted in between: create it after all.
      if (!isKind(error, "NotFound")) throw error;
    }
  }
}
