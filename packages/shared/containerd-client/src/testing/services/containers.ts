import { AlreadyExists, InvalidArgument, NotFound } from "@longshore/errdefs";
import type { ServiceImplementation } from "@longshore/grpc";
import {
  ContainerCreateSchema,
  ContainerDeleteSchema,
  ContainerUpdateSchema,
} from "@longshore/proto/containerd/events/events";
import type { Container, Containers } from "@longshore/proto/containerd/services/containers/v1/containers";
import { type Shared, type Store, fields, now, select, storeOf, updatedLabels } from "../store.ts";

function find(store: Store, id: string): Container {
  const container = store.containers.get(id);
  if (container === undefined) throw new NotFound(`container "${id}" in namespace "${store.namespace}": not found`);
  return container;
}

const adapt = ({ id, image, runtime, labels }: Container): ReturnType<typeof fields> =>
  fields({ id, image, "runtime.name": runtime?.name ?? "" }, labels);

export function containersService(shared: Shared): ServiceImplementation<typeof Containers> {
  return {
    get: ({ id }, context) => ({ container: find(storeOf(shared, context), id) }),
    list: ({ filters }, context) => ({
      containers: select(storeOf(shared, context).containers.values(), filters, adapt),
    }),
    async *listStream({ filters }, context) {
      for (const container of select(storeOf(shared, context).containers.values(), filters, adapt)) yield { container };
    },
    create({ container }, context) {
      const store = storeOf(shared, context);
      if (container === undefined || container.id === "") throw new InvalidArgument("identifier must not be empty");
      const { id, image, runtime } = container;
      if (runtime === undefined || runtime.name === "")
        throw new InvalidArgument("container.Runtime.Name must be set: invalid argument");
      if (store.containers.has(id)) throw new AlreadyExists(`container "${id}": already exists`);
      container.createdAt = container.updatedAt = now();
      store.containers.set(id, container);
      shared.events.publish(store.namespace, "/containers/create", ContainerCreateSchema, {
        id,
        image,
        runtime: { name: runtime.name },
      });
      return { container };
    },
    update({ container: given, updateMask }, context) {
      const store = storeOf(shared, context);
      if (given === undefined || given.id === "") throw new InvalidArgument("Container.ID required");
      const container = find(store, given.id);
      const paths = updateMask?.paths ?? [];
      container.labels = updatedLabels(container.labels, given.labels, paths, ["spec", "image", "extensions"]);
      const all = paths.length === 0;
      if ((all || paths.includes("spec")) && given.spec !== undefined) container.spec = given.spec;
      if (all || paths.includes("image")) container.image = given.image;
      if (all || paths.includes("extensions")) container.extensions = given.extensions;
      container.updatedAt = now();
      const { id, image, labels, snapshotKey } = container;
      shared.events.publish(store.namespace, "/containers/update", ContainerUpdateSchema, {
        id,
        image,
        labels,
        snapshotKey,
      });
      return { container };
    },
    delete({ id }, context) {
      const store = storeOf(shared, context);
      find(store, id);
      store.containers.delete(id);
      shared.events.publish(store.namespace, "/containers/delete", ContainerDeleteSchema, { id });
      return {};
    },
  };
}
