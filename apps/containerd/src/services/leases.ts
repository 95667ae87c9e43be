import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { InvalidArgument } from "@longshore/errdefs";
import type { ServiceImplementation } from "@longshore/grpc";
import type { Lease, LeaseResource } from "@longshore/metadata";
import type { Leases, Resource } from "@longshore/proto/containerd/services/leases/v1/leases";
import { type MetadataDeps, scopeOf } from "./call.ts";

export function leasesService({ metadata }: MetadataDeps): ServiceImplementation<typeof Leases> {
  return {
    create: async ({ id, labels }, context) => ({
      lease: toMessage(await scopeOf(metadata, context).leases.create(id, labels)),
    }),
    async delete({ id, sync }, context) {
      await scopeOf(metadata, context).leases.delete(id);
      if (sync) await metadata.collectGarbage();
      return {};
    },
    list: async ({ filters }, context) => ({
      leases: (await scopeOf(metadata, context).leases.list(filters)).map(toMessage),
    }),
    async addResource({ id, resource }, context) {
      await scopeOf(metadata, context).leases.addResource(id, fromMessage(resource));
      return {};
    },
    async deleteResource({ id, resource }, context) {
      await scopeOf(metadata, context).leases.deleteResource(id, fromMessage(resource));
      return {};
    },
    listResources: async ({ id }, context) => ({
      resources: await scopeOf(metadata, context).leases.listResources(id),
    }),
  };
}

function fromMessage(resource: Resource | undefined): LeaseResource {
  if (resource === undefined) throw new InvalidArgument("lease resource is required: invalid argument");
  return { id: resource.id, type: resource.type };
}

function toMessage({ id, labels, createdAt }: Lease) {
  return { id, labels, createdAt: timestampFromDate(createdAt) };
}
