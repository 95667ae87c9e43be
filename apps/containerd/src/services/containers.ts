import type { MessageInitShape } from "@bufbuild/protobuf";
import { InvalidArgument } from "@longshore/errdefs";
import type { Publisher } from "@longshore/events";
import type { ServiceImplementation } from "@longshore/grpc";
import type { Container } from "@longshore/metadata";
import {
  ContainerCreateSchema,
  ContainerDeleteSchema,
  ContainerUpdateSchema,
} from "@longshore/proto/containerd/events/events";
import {
  type Container as ContainerMessage,
  type ContainerSchema,
  type Containers,
} from "@longshore/proto/containerd/services/containers/v1/containers";
import { type MetadataDeps, mapValues, scopeOf, times, unwrapAny } from "./call.ts";

export function containersService({
  metadata,
  publisher,
}: MetadataDeps & { publisher: Publisher }): ServiceImplementation<typeof Containers> {
  return {
    get: async ({ id }, context) => ({ container: toMessage(await scopeOf(metadata, context).containers.get(id)) }),
    list: async ({ filters }, context) => ({
      containers: (await scopeOf(metadata, context).containers.list(filters)).map(toMessage),
    }),
    async *listStream({ filters }, context) {
      for (const container of await scopeOf(metadata, context).containers.list(filters))
        yield { container: toMessage(container) };
    },
    async create(request, context) {
      const { namespace, containers } = scopeOf(metadata, context);
      const container = await containers.create(fromMessage(request.container));
      const { id, image, runtime } = container;
      publisher.publish(namespace, "/containers/create", ContainerCreateSchema, {
        id,
        image,
        runtime: { name: runtime.name, ...(runtime.options && { options: runtime.options }) },
      });
      return { container: toMessage(container) };
    },
    async update(request, context) {
      if (!request.container?.id) throw new InvalidArgument("Container.ID required");
      const { namespace, containers } = scopeOf(metadata, context);
      const container = await containers.update(fromMessage(request.container), request.updateMask?.paths ?? []);
      const { id, image, labels, snapshotKey } = container;
      publisher.publish(namespace, "/containers/update", ContainerUpdateSchema, { id, image, labels, snapshotKey });
      return { container: toMessage(container) };
    },
    async delete({ id }, context) {
      const { namespace, containers } = scopeOf(metadata, context);
      await containers.delete(id);
      publisher.publish(namespace, "/containers/delete", ContainerDeleteSchema, { id });
      return {};
    },
  };
}

function fromMessage(message: ContainerMessage | undefined): Omit<Container, "createdAt" | "updatedAt"> {
  if (message === undefined) throw new InvalidArgument("container is required: invalid argument");
  const { id, labels, image, runtime, spec, snapshotter, snapshotKey, sandbox, extensions } = message;
  return {
    id,
    labels,
    image,
    runtime: { name: runtime?.name ?? "", options: runtime?.options && unwrapAny(runtime.options) },
    spec: spec && unwrapAny(spec),
    snapshotter,
    snapshotKey,
    sandbox,
    extensions: mapValues(extensions, unwrapAny),
  };
}

function toMessage(container: Container): MessageInitShape<typeof ContainerSchema> {
  const { id, labels, image, runtime, spec, snapshotter, snapshotKey, sandbox, extensions } = container;
  return {
    id,
    labels,
    image,
    runtime: { name: runtime.name, ...(runtime.options && { options: runtime.options }) },
    ...(spec && { spec }),
    snapshotter,
    snapshotKey,
    sandbox,
    extensions,
    ...times(container),
  };
}
