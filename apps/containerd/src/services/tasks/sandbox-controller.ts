import { create } from "@bufbuild/protobuf";
import { TimestampSchema, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { namespaceOf } from "@longshore/containerd-client";
import { InvalidArgument, NotFound, NotImplemented, Unknown } from "@longshore/errdefs";
import type { Publisher } from "@longshore/events";
import type { ServiceImplementation } from "@longshore/grpc";
import { SandboxCreateSchema, SandboxExitSchema, SandboxStartSchema } from "@longshore/proto/containerd/events/events";
import type { Controller, ControllerCreateRequest } from "@longshore/proto/containerd/services/sandbox/v1/sandbox";
import type { SandboxManager, SandboxOptions } from "@longshore/runtime";

export interface SandboxControllerDeps {
  sandboxes: SandboxManager;
  publisher: Publisher;
}

/** What a time that nobody set is in Go: absent in a message it is 1970, in a struct the year 1. */
const epoch = { seconds: 0n, nanos: 0 };
const zeroTime = { seconds: -62_135_596_800n, nanos: 0 };

/** containerd's controllers of sandboxes, of which there is one: "shim". */
export function sandboxControllerService({
  sandboxes,
  publisher,
}: SandboxControllerDeps): ServiceImplementation<typeof Controller> {
  const controller = (name: string): SandboxManager => {
    if (name === "") throw new InvalidArgument("invalid argument: sandbox controller name can not be empty");
    if (name !== "shim") throw new NotFound(`not found: failed to get sandbox controller by ${name}`);
    return sandboxes;
  };
  return {
    async create(request, context) {
      const namespace = namespaceOf(context);
      const { sandboxId } = request;
      await controller(request.sandboxer).create(
        namespace,
        request.sandbox?.sandboxId ?? sandboxId,
        optionsOf(request),
      );
      publisher.publish(namespace, "/sandboxes/create", SandboxCreateSchema, { sandboxId });
      return { sandboxId };
    },
    async start({ sandboxId, sandboxer }, context) {
      const namespace = namespaceOf(context);
      const { pid, createdAt } = await controller(sandboxer).start(namespace, sandboxId);
      publisher.publish(namespace, "/sandboxes/start", SandboxStartSchema, { sandboxId });
      return { sandboxId, pid, createdAt: createdAt ?? epoch };
    },
    platform() {
      // containerd's service does not pass this on, though its controllers know.
      throw new NotImplemented("method Platform not implemented");
    },
    async stop({ sandboxId, sandboxer, timeoutSecs }, context) {
      const namespace = namespaceOf(context);
      await controller(sandboxer).stop(namespace, sandboxId, timeoutSecs);
      return {};
    },
    async wait({ sandboxId, sandboxer }, context) {
      const namespace = namespaceOf(context);
      const { exitStatus, exitedAt = create(TimestampSchema, epoch) } = await controller(sandboxer).wait(
        namespace,
        sandboxId,
        context.signal,
      );
      publisher.publish(namespace, "/sandboxes/exit", SandboxExitSchema, { sandboxId, exitStatus, exitedAt });
      return { exitStatus, exitedAt };
    },
    async status({ sandboxId, sandboxer, verbose }, context) {
      const namespace = namespaceOf(context);
      const status = await controller(sandboxer).status(namespace, sandboxId, verbose);
      if (status === undefined)
        return { sandboxId, createdAt: zeroTime, exitedAt: timestampFromDate(new Date()), extra: {} };
      const { pid, state, info, createdAt, exitedAt, extra } = status;
      return {
        sandboxId: status.sandboxId,
        pid,
        state,
        info,
        createdAt: createdAt ?? epoch,
        exitedAt: exitedAt ?? epoch,
        extra: extra ?? {},
      };
    },
    async shutdown({ sandboxId, sandboxer }, context) {
      const namespace = namespaceOf(context);
      await controller(sandboxer).shutdown(namespace, sandboxId);
      return {};
    },
    async metrics({ sandboxId, sandboxer }, context) {
      const namespace = namespaceOf(context);
      const { metrics } = await controller(sandboxer).metrics(namespace, sandboxId);
      return metrics === undefined ? {} : { metrics };
    },
    update({ sandbox, sandboxer }) {
      controller(sandboxer);
      if (sandbox === undefined) throw new Unknown("sandbox can not be nil");
      return {};
    },
  };
}

function optionsOf({ sandbox, rootfs, options, netnsPath, annotations }: ControllerCreateRequest): SandboxOptions {
  const { runtime, spec } = sandbox ?? {};
  return {
    runtime: runtime?.name ?? "",
    runtimeOptions: runtime?.options,
    spec: spec?.value ?? new Uint8Array(),
    rootfs,
    options,
    netnsPath,
    annotations,
  };
}
