import { InvalidArgument } from "@longshore/errdefs";
import type { Publisher } from "@longshore/events";
import type { ServiceImplementation } from "@longshore/grpc";
import {
  NamespaceCreateSchema,
  NamespaceDeleteSchema,
  NamespaceUpdateSchema,
} from "@longshore/proto/containerd/events/events";
import type { Namespace, Namespaces } from "@longshore/proto/containerd/services/namespaces/v1/namespaces";
import type { MetadataDeps } from "./call.ts";

export function namespacesService({
  metadata,
  publisher,
}: MetadataDeps & { publisher: Publisher }): ServiceImplementation<typeof Namespaces> {
  const { namespaces } = metadata;
  return {
    get: async ({ name }) => ({ namespace: { name, labels: await namespaces.labels(name) } }),
    list: async () => ({ namespaces: await namespaces.list() }),
    async create({ namespace }) {
      const { name, labels } = required(namespace);
      await namespaces.create(name, labels);
      publisher.publish(name, "/namespaces/create", NamespaceCreateSchema, { name, labels });
      return { namespace: { name, labels } };
    },
    async update({ namespace, updateMask }) {
      const { name, labels } = required(namespace);
      const updated = await namespaces.update(name, labels, updateMask?.paths ?? []);
      // What was asked for, as containerd tells it, not what came of it.
      publisher.publish(name, "/namespaces/update", NamespaceUpdateSchema, { name, labels });
      return { namespace: { name, labels: updated } };
    },
    async delete({ name }) {
      await namespaces.delete(name);
      publisher.publish(name, "/namespaces/delete", NamespaceDeleteSchema, { name });
      return {};
    },
  };
}

function required(namespace: Namespace | undefined): Namespace {
  if (namespace === undefined) throw new InvalidArgument("namespace is required: invalid argument");
  return namespace;
}
