import { randomBytes } from "node:crypto";
import { AlreadyExists, InvalidArgument, NotFound, NotImplemented } from "@longshore/errdefs";
import type { ServiceImplementation } from "@longshore/grpc";
import type { Leases, Resource } from "@longshore/proto/containerd/services/leases/v1/leases";
import { type LeaseRecord, type Shared, type Store, fields, now, select, storeOf } from "../store.ts";

function find(store: Store, id: string): LeaseRecord {
  const lease = store.leases.get(id);
  if (lease === undefined) throw new NotFound(`lease "${id}": not found`);
  return lease;
}

function keyOf(resource: Resource | undefined): string {
  const { type = "", id = "" } = resource ?? {};
  const [kind = ""] = type.split("/");
  if (!["content", "ingests", "images", "snapshots"].includes(kind))
    throw new NotImplemented(`resource type ${type} not supported yet: not implemented`);
  if (kind === "snapshots" && type.split("/").length !== 2)
    throw new InvalidArgument(`invalid snapshot resource type ${type}: invalid argument`);
  return `${type}\0${id}`;
}

export function leasesService(shared: Shared): ServiceImplementation<typeof Leases> {
  return {
    create({ id, labels }, context) {
      const { leases } = storeOf(shared, context);
      const lease = {
        id: id || randomBytes(9).toString("base64url"),
        labels,
        createdAt: now(),
        resources: new Set(""),
      };
      if (leases.has(lease.id)) throw new AlreadyExists(`lease "${lease.id}": already exists`);
      leases.set(lease.id, lease);
      return { lease };
    },
    delete({ id, sync }, context) {
      const store = storeOf(shared, context);
      find(store, id);
      store.leases.delete(id);
      if (sync) shared.collect();
      return {};
    },
    list: ({ filters }, context) => ({
      leases: select(storeOf(shared, context).leases.values(), filters, ({ id, labels }) => fields({ id }, labels)),
    }),
    addResource({ id, resource }, context) {
      find(storeOf(shared, context), id).resources.add(keyOf(resource));
      return {};
    },
    deleteResource({ id, resource }, context) {
      find(storeOf(shared, context), id).resources.delete(keyOf(resource));
      return {};
    },
    listResources: ({ id }, context) => ({
      resources: [...find(storeOf(shared, context), id).resources].map((key) => {
        const [type = "", name = ""] = key.split("\0");
        return { type, id: name };
      }),
    }),
  };
}
