import { AlreadyExists, InvalidArgument, NotFound } from "@longshore/errdefs";
import type { ServiceImplementation } from "@longshore/grpc";
import type { Image, Images } from "@longshore/proto/containerd/services/images/v1/images";
import { type Shared, type Store, fields, now, select, storeOf, updatedLabels } from "../store.ts";

function find(store: Store, name: string): Image {
  const image = store.images.get(name);
  if (image === undefined) throw new NotFound(`image "${name}": not found`);
  return image;
}

export function imagesService(shared: Shared): ServiceImplementation<typeof Images> {
  return {
    get: ({ name }, context) => ({ image: find(storeOf(shared, context), name) }),
    list: ({ filters }, context) => ({
      images: select(storeOf(shared, context).images.values(), filters, ({ name, target, labels }) =>
        fields({ name, "target.digest": target?.digest ?? "", "target.mediatype": target?.mediaType ?? "" }, labels),
      ),
    }),
    create({ image }, context) {
      const { images } = storeOf(shared, context);
      if (image === undefined || image.name === "") throw new InvalidArgument("Image.Name required");
      if (images.has(image.name)) throw new AlreadyExists(`image "${image.name}": already exists`);
      image.createdAt = image.updatedAt = now();
      images.set(image.name, image);
      return { image };
    },
    update({ image: given, updateMask }, context) {
      const store = storeOf(shared, context);
      if (given === undefined || given.name === "") throw new InvalidArgument("Image.Name required");
      const image = find(store, given.name);
      const paths = updateMask?.paths ?? [];
      image.labels = updatedLabels(image.labels, given.labels, paths, ["target", "annotations"]);
      if ((paths.length === 0 || paths.includes("target")) && given.target !== undefined) image.target = given.target;
      image.updatedAt = now();
      return { image };
    },
    delete({ name, target, sync }, context) {
      const store = storeOf(shared, context);
      const image = find(store, name);
      if (target !== undefined && target.digest !== "" && target.digest !== image.target?.digest)
        throw new NotFound(`image "${name}" has a different target: not found`);
      store.images.delete(name);
      if (sync) shared.collect();
      return {};
    },
  };
}
