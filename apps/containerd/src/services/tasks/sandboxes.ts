import type { MessageInitShape } from "@bufbuild/protobuf";
import { InvalidArgument } from "@longshore/errdefs";
import type { ServiceImplementation } from "@longshore/grpc";
import type { Sandbox } from "@longshore/metadata";
import type { Store } from "@longshore/proto/containerd/services/sandbox/v1/sandbox";
import type { Sandbox as SandboxMessage, SandboxSchema } from "@longshore/proto/containerd/types/types";
import { type MetadataDeps, mapValues, scopeOf, times, unwrapAny } from "../call.ts";

/** The records of sandboxes. */
export function sandboxesService({ metadata }: MetadataDeps): ServiceImplementation<typeof Store> {
  return {
    create: async ({ sandbox }, context) => ({
      sandbox: toMessage(await scopeOf(metadata, context).sandboxes.create(fromMessage(sandbox))),
    }),
    update: async ({ sandbox, fields }, context) => ({
      sandbox: toMessage(await scopeOf(metadata, context).sandboxes.update(fromMessage(sandbox), fields)),
    }),
    async delete({ sandboxId }, context) {
      await scopeOf(metadata, context).sandboxes.delete(sandboxId);
      return {};
    },
    list: async ({ filters }, context) => ({
      list: (await scopeOf(metadata, context).sandboxes.list(filters)).map(toMessage),
    }),
    get: async ({ sandboxId }, context) => ({
      sandbox: toMessage(await scopeOf(metadata, context).sandboxes.get(sandboxId)),
    }),
  };
}

function fromMessage(message: SandboxMessage | undefined): Omit<Sandbox, "createdAt" | "updatedAt"> {
  // The stock containerd crashes here.
  if (message === undefined) throw new InvalidArgument("sandbox is required: invalid argument");
  const { sandboxId: id, runtime, spec, labels, extensions, sandboxer } = message;
  if (runtime === undefined) throw new InvalidArgument("sandbox.Runtime is required: invalid argument");
  return {
    id,
    labels,
    runtime: { name: runtime.name, options: runtime.options && unwrapAny(runtime.options) },
    spec: spec && unwrapAny(spec),
    sandboxer,
    extensions: mapValues(extensions, unwrapAny),
  };
}

function toMessage(sandbox: Sandbox): MessageInitShape<typeof SandboxSchema> {
  const { id, labels, runtime, spec, sandboxer, extensions } = sandbox;
  return {
    sandboxId: id,
    labels,
    runtime: { name: runtime.name, ...(runtime.options && { options: runtime.options }) },
    ...(spec && { spec }),
    sandboxer,
    extensions,
    ...times(sandbox),
  };
}
