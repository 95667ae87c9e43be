import type { MessageInitShape } from "@bufbuild/protobuf";
import { InvalidArgument } from "@longshore/errdefs";
import type { ServiceImplementation } from "@longshore/grpc";
import type { Image } from "@longshore/metadata";
import type { Image as ImageMessage, ImageSchema, Images } from "@longshore/proto/containerd/services/images/v1/images";
import { type MetadataDeps, bytesOf, dateOf, scopeOf, times } from "./call.ts";

export function imagesService({ metadata }: MetadataDeps): ServiceImplementation<typeof Images> {
  return {
    get: async ({ name }, context) => ({ image: toMessage(await scopeOf(metadata, context).images.get(name)) }),
    list: async ({ filters }, context) => ({
      images: (await scopeOf(metadata, context).images.list(filters)).map(toMessage),
    }),
    async create({ image, sourceDateEpoch }, context) {
      const { images } = scopeOf(metadata, context);
      return { image: toMessage(await images.create(fromMessage(image), dateOf(sourceDateEpoch, "SourceDateEpoch"))) };
    },
    async update({ image, updateMask, sourceDateEpoch }, context) {
      const { images } = scopeOf(metadata, context);
      return {
        image: toMessage(
          await images.update(fromMessage(image), updateMask?.paths ?? [], dateOf(sourceDateEpoch, "SourceDateEpoch")),
        ),
      };
    },
    async delete({ name, target, sync }, context) {
      await scopeOf(metadata, context).images.delete(name, target?.digest);
      if (sync) await metadata.collectGarbage();
      return {};
    },
  };
}

function fromMessage(message: ImageMessage | undefined): Omit<Image, "createdAt" | "updatedAt"> {
  if (!message?.name) throw new InvalidArgument("Image.Name required");
  const { name, labels, target } = message;
  return {
    name,
    labels,
    target: {
      mediaType: target?.mediaType ?? "",
      digest: target?.digest ?? "",
      size: sizeOf(target?.size ?? 0n),
      annotations: target?.annotations ?? {},
    },
  };
}

/** containerd words a size below nothing itself. */
function sizeOf(size: bigint): number {
  return size < 0n ? -1 : bytesOf(size, "Target.Size");
}

function toMessage(image: Image): MessageInitShape<typeof ImageSchema> {
  const { name, labels, target } = image;
  return { name, labels, target: { ...target, size: BigInt(target.size) }, ...times(image) };
}
