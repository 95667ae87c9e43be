import { AlreadyExists, FailedPrecondition, InvalidArgument, NotFound } from "@longshore/errdefs";
import type { ServiceImplementation } from "@longshore/grpc";
import type { Namespaces } from "@longshore/proto/containerd/services/namespaces/v1/namespaces";
import { type Shared, Store, updatedLabels } from "../store.ts";

export function namespacesService({ stores }: Shared): ServiceImplementation<typeof Namespaces> {
  const find = (name: string): Store => {
    const store = stores.get(name);
    if (store === undefined) throw new NotFound(`namespace "${name}": not found`);
    return store;
  };
  return {
    // As the real one does, which does not look whether it is there.
    get: ({ name }) => ({ namespace: { name, labels: stores.get(name)?.labels ?? {} } }),
    list: () => ({ namespaces: [...stores].map(([name, { labels }]) => ({ name, labels })) }),
    create({ namespace }) {
      if (namespace === undefined) throw new InvalidArgument("namespace is required: invalid argument");
      if (stores.has(namespace.name)) throw new AlreadyExists(`namespace "${namespace.name}": already exists`);
      const store = new Store(namespace.name);
      store.labels = namespace.labels;
      stores.set(namespace.name, store);
      return { namespace };
    },
    update({ namespace, updateMask }) {
      if (namespace === undefined) throw new InvalidArgument("namespace is required: invalid argument");
      const store = find(namespace.name);
      store.labels = updatedLabels(store.labels, namespace.labels, updateMask?.paths ?? []);
      return { namespace: { name: namespace.name, labels: store.labels } };
    },
    delete({ name }) {
      const { containers, images, blobs, snapshotters } = find(name);
      if (containers.size + images.size + blobs.size + [...snapshotters].flatMap(([, all]) => [...all]).length > 0)
        throw new FailedPrecondition(`namespace "${name}" must be empty: failed precondition`);
      stores.delete(name);
      return {};
    },
  };
}
