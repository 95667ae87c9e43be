import { create } from "@bufbuild/protobuf";
import { type Any, AnySchema, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Layers } from "@longshore/archive";
import { namespaceOf } from "@longshore/containerd-client";
import { AlreadyExists, InvalidArgument, Unknown, isKind, messageOf } from "@longshore/errdefs";
import { type Filter, parseAll } from "@longshore/filters";
import type { CallContext, ServiceImplementation } from "@longshore/grpc";
import type { Logger } from "@longshore/logger";
import type { Container, PackedAny } from "@longshore/metadata";
import { unpackAny } from "@longshore/proto";
import { OptionsSchema } from "@longshore/proto/containerd/runc/v1/runc";
import { type Tasks } from "@longshore/proto/containerd/services/tasks/v1/tasks";
import type { ProcessState, SandboxEndpoint, SandboxManager, Task, TaskManager } from "@longshore/runtime";
import { type MetadataDeps, scopeOf } from "../call.ts";
import { checkpointOf, takeCheckpoint } from "./checkpoint.ts";

export interface TasksDeps extends MetadataDeps {
  /** Packs and unpacks checkpoints. */
  layers: Layers;
  tasks: TaskManager;
  sandboxes: SandboxManager;
  logger: Logger;
}

function toAny(packed: PackedAny | undefined): Any | undefined {
  return packed && create(AnySchema, { typeUrl: packed.typeUrl, value: packed.value });
}

/** containerd's Tasks service over the shims. */
export function tasksService({
  metadata,
  layers,
  tasks,
  sandboxes,
  logger,
}: TasksDeps): ServiceImplementation<typeof Tasks> {
  const containerOf = (id: string, context: CallContext): Promise<Container> =>
    scopeOf(metadata, context).containers.get(id);
  /** A task whose container's record is lost (a damaged database) can still be used, and above all ended. */
  const taskOf = async (id: string, context: CallContext): Promise<Task> => {
    if (!tasks.has(namespaceOf(context), id)) await containerOf(id, context);
    return tasks.get(namespaceOf(context), id);
  };
  /** Where the task of a container is to be served that belongs to a sandbox; one that nobody knows is as none. */
  const sandboxOf = async (
    { id, sandbox }: Container,
    options: Any | undefined,
    context: CallContext,
  ): Promise<SandboxEndpoint | undefined> => {
    if (sandbox === "") return undefined;
    try {
      await scopeOf(metadata, context).sandboxes.get(sandbox);
    } catch (error) {
      if (!isKind(error, "NotFound")) throw error;
      logger.warn({ id, sandbox }, "sandbox not found");
      return undefined;
    }
    const { taskApiAddress = "", taskApiVersion: version = 0 } = unpackAny(options, OptionsSchema) ?? {};
    if (taskApiAddress === "") return sandboxes.endpoint(namespaceOf(context), sandbox);
    const [, protocol, address] = /^([^+]*)\+(.*)$/s.exec(taskApiAddress) ?? [];
    if (protocol === undefined || address === undefined) {
      throw new Unknown(
        "failed to start shim: the scheme of sandbox address should be in  the form of <protocol>+<unix|vsock|tcp>, i.e. ttrpc+unix or grpc+vsock",
      );
    }
    return { id: sandbox, bootstrap: { version, protocol, address } };
  };
  /** The states of all tasks in the call's namespace; one that goes away meanwhile is left out. */
  const statesOf = async (context: CallContext): Promise<ProcessState[]> => {
    const states = await Promise.all(
      tasks.list(namespaceOf(context)).map((task) =>
        task.state("").catch((error: unknown) => {
          if (!isKind(error, "NotFound"))
            logger.warn({ id: task.id, error: messageOf(error) }, "failed to get the state of a task");
          return undefined;
        }),
      ),
    );
    return states.filter((state) => state !== undefined);
  };

  return {
    async create(request, context) {
      const { containerId, stdin, stdout, stderr, terminal } = request;
      const container = await containerOf(containerId, context);
      if (tasks.has(namespaceOf(context), containerId)) throw new AlreadyExists(`task ${containerId}: already exists`);
      const { pid } = await tasks.create(namespaceOf(context), containerId, {
        spec: container.spec?.value ?? new Uint8Array(),
        rootfs: request.rootfs,
        io: { stdin, stdout, stderr, terminal },
        checkpoint: checkpointOf(request, scopeOf(metadata, context).content, layers),
        runtime: request.runtimePath || container.runtime.name,
        runtimeOptions: toAny(container.runtime.options),
        taskOptions: request.options,
        sandbox: await sandboxOf(container, request.options, context),
      });
      return { containerId, pid };
    },
    async start({ containerId, execId }, context) {
      return { pid: await (await taskOf(containerId, context)).start(execId) };
    },
    async delete({ containerId }, context) {
      await taskOf(containerId, context);
      const { pid, status: exitStatus, exitedAt } = await tasks.delete(namespaceOf(context), containerId);
      return { pid, exitStatus, exitedAt };
    },
    async deleteProcess({ containerId, execId }, context) {
      const { pid, status: exitStatus, exitedAt } = await (await taskOf(containerId, context)).deleteProcess(execId);
      return { id: execId, pid, exitStatus, exitedAt };
    },
    async get({ containerId, execId }, context) {
      return { process: await (await taskOf(containerId, context)).state(execId) };
    },
    async list(_request, context) {
      return { tasks: await statesOf(context) };
    },
    async kill({ containerId, execId, signal, all }, context) {
      await (await taskOf(containerId, context)).kill(execId, signal, all);
      return {};
    },
    async exec({ containerId, execId, spec, stdin, stdout, stderr, terminal }, context) {
      if (execId === "") throw new InvalidArgument("exec id cannot be empty");
      await (await taskOf(containerId, context)).exec(execId, spec, { stdin, stdout, stderr, terminal });
      return {};
    },
    async resizePty({ containerId, execId, width, height }, context) {
      await (await taskOf(containerId, context)).resizePty(execId, width, height);
      return {};
    },
    async closeIO({ containerId, execId, stdin }, context) {
      await (await taskOf(containerId, context)).closeIO(execId, stdin);
      return {};
    },
    async pause({ containerId }, context) {
      await (await taskOf(containerId, context)).pause();
      return {};
    },
    async resume({ containerId }, context) {
      await (await taskOf(containerId, context)).resume();
      return {};
    },
    async listPids({ containerId }, context) {
      return { processes: await (await taskOf(containerId, context)).pids() };
    },
    async checkpoint({ containerId, options }, context) {
      const container = await containerOf(containerId, context);
      const task = await taskOf(containerId, context);
      return {
        descriptors: await takeCheckpoint(task, container, options, scopeOf(metadata, context).content, layers),
      };
    },
    async update({ containerId, resources, annotations }, context) {
      await (await taskOf(containerId, context)).update(resources, annotations);
      return {};
    },
    async metrics({ filters }, context) {
      const filter = metricFilters(filters);
      const chosen = tasks
        .list(namespaceOf(context))
        .filter((task) =>
          filter(([field]) => (field === "id" ? task.id : field === "namespace" ? task.namespace : undefined)),
        );
      const metrics = await Promise.all(
        chosen.map(async (task) => {
          const timestamp = timestampFromDate(new Date());
          try {
            const data = await task.stats();
            return { timestamp, id: task.id, ...(data && { data }) };
          } catch (error) {
            if (!isKind(error, "NotFound"))
              logger.error({ id: task.id, error: messageOf(error) }, "collecting metrics");
            return undefined;
          }
        }),
      );
      return { metrics: metrics.filter((metric) => metric !== undefined) };
    },
    async wait({ containerId, execId }, context) {
      const { status: exitStatus, exitedAt } = await (await taskOf(containerId, context)).wait(execId, context.signal);
      return { exitStatus, exitedAt };
    },
  };
}

function metricFilters(filters: readonly string[]): Filter {
  try {
    return parseAll(filters);
  } catch (error) {
    throw new Unknown(messageOf(error), { cause: error });
  }
}
