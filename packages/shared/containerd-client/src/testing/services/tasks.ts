import { AlreadyExists, InvalidArgument, NotFound, Unknown } from "@longshore/errdefs";
import type { CallContext, ServiceImplementation } from "@longshore/grpc";
import {
  TaskCreateSchema,
  TaskDeleteSchema,
  TaskExecAddedSchema,
  TaskExecStartedSchema,
  TaskPausedSchema,
  TaskResumedSchema,
  TaskStartSchema,
} from "@longshore/proto/containerd/events/events";
import type { Tasks } from "@longshore/proto/containerd/services/tasks/v1/tasks";
import { Status } from "@longshore/proto/containerd/v1/types/task";
import { type Behaviour, FakeProcess, FakeTask } from "../process.ts";
import { type Shared, fields, now, select, storeOf } from "../store.ts";

interface TasksDeps extends Shared {
  readonly behaviour: Behaviour;
  /** Has a process end, and tells of it. */
  readonly exit: (namespace: string, process: FakeProcess, code: number) => void;
}

const word = (status: Status): string => (Status[status] ?? "UNKNOWN").toLowerCase();

/** @throws Unknown, as a shim words it */
function refuse(verb: "pause" | "resume", status: Status, what: string): never {
  throw new Unknown(
    status === Status.CREATED ? `cannot ${verb} task in created state` : `cannot ${verb} a ${word(status)} ${what}`,
  );
}

export function tasksService(deps: TasksDeps): ServiceImplementation<typeof Tasks> {
  const taskOf = (id: string, context: CallContext): { namespace: string; task: FakeTask } => {
    const store = storeOf(deps, context);
    const task = store.tasks.get(id);
    if (task !== undefined) return { namespace: store.namespace, task };
    if (!store.containers.has(id)) throw new NotFound(`container "${id}" in namespace "${store.namespace}": not found`);
    throw new NotFound(`task ${id} not found: not found`);
  };
  const processOf = (
    { containerId, execId }: { containerId: string; execId: string },
    context: CallContext,
  ): { namespace: string; task: FakeTask; process: FakeProcess } => {
    const { namespace, task } = taskOf(containerId, context);
    const process = execId === "" ? task.init : task.execs.get(execId);
    if (process === undefined) throw new NotFound(`process does not exist ${execId}: not found`);
    return { namespace, task, process };
  };
  const state = ({ containerId, execId, pid, status, exitCode, exitedAt, request }: FakeProcess) => ({
    containerId: "",
    id: execId || containerId,
    pid,
    status,
    stdin: request.stdin,
    stdout: request.stdout,
    stderr: request.stderr,
    terminal: request.terminal,
    exitStatus: exitCode,
    ...(exitedAt === undefined ? {} : { exitedAt }),
  });
  const gone = ({ pid, exitCode, exitedAt }: FakeProcess) => ({
    pid,
    exitStatus: exitCode,
    exitedAt: exitedAt ?? now(),
  });

  return {
    create(request, context) {
      const store = storeOf(deps, context);
      const { containerId, stdin, stdout, stderr, terminal } = request;
      const container = store.containers.get(containerId);
      if (container === undefined)
        throw new NotFound(`container "${containerId}" in namespace "${store.namespace}": not found`);
      if (store.tasks.has(containerId)) throw new AlreadyExists(`task ${containerId}: already exists`);
      const init = new FakeProcess(request, container.spec, "");
      init.pid = deps.behaviour.pid();
      store.tasks.set(containerId, new FakeTask(init));
      deps.events.publish(store.namespace, "/tasks/create", TaskCreateSchema, {
        containerId,
        io: { stdin, stdout, stderr, terminal },
        pid: init.pid,
      });
      return { containerId, pid: init.pid };
    },
    start({ containerId, execId }, context) {
      const { namespace, process } = processOf({ containerId, execId }, context);
      if (process.status !== Status.CREATED) throw new Unknown(`cannot start a ${word(process.status)} process`);
      if (process.pid === 0) process.pid = deps.behaviour.pid();
      process.status = Status.RUNNING;
      const { pid } = process;
      if (execId === "") deps.events.publish(namespace, "/tasks/start", TaskStartSchema, { containerId, pid });
      else deps.events.publish(namespace, "/tasks/exec-started", TaskExecStartedSchema, { containerId, execId, pid });
      const code = deps.behaviour.onStart(process);
      if (code !== undefined) deps.exit(namespace, process, code);
      return { pid };
    },
    delete({ containerId }, context) {
      const { namespace, task } = taskOf(containerId, context);
      const { init } = task;
      if (init.status !== Status.CREATED && init.status !== Status.STOPPED)
        throw new Unknown(`cannot delete a ${word(init.status)} process`);
      if (init.status === Status.CREATED) deps.exit(namespace, init, 137);
      storeOf(deps, context).tasks.delete(containerId);
      const { pid, exitStatus, exitedAt } = gone(init);
      deps.events.publish(namespace, "/tasks/delete", TaskDeleteSchema, { containerId, pid, exitStatus, exitedAt });
      return { id: containerId, pid, exitStatus, exitedAt };
    },
    deleteProcess({ containerId, execId }, context) {
      const { task, process } = processOf({ containerId, execId }, context);
      if (process.status === Status.RUNNING) throw new Unknown("cannot delete a running process");
      task.execs.delete(execId);
      return { id: execId, ...gone(process) };
    },
    get: (request, context) => ({ process: state(processOf(request, context).process) }),
    list: (_request, context) => ({
      tasks: [...storeOf(deps, context).tasks.values()].map(({ init }) => state(init)),
    }),
    kill({ containerId, execId, signal, all }, context) {
      const { namespace, task, process } = processOf({ containerId, execId }, context);
      if (process.status === Status.STOPPED) throw new NotFound("process already finished: not found");
      for (const each of all ? [process, ...task.execs.values()] : [process]) {
        if (each.status === Status.STOPPED || each.pid === 0) continue;
        each.signals.push(signal);
        const code = deps.behaviour.onSignal(each, signal);
        if (code !== undefined) deps.exit(namespace, each, code);
      }
      return {};
    },
    exec(request, context) {
      const { containerId, execId, spec } = request;
      if (execId === "") throw new InvalidArgument("exec id cannot be empty");
      const { namespace, task } = taskOf(containerId, context);
      if (task.execs.has(execId)) throw new AlreadyExists(`id ${execId}: already exists`);
      if (task.init.status === Status.STOPPED || task.init.status === Status.PAUSED)
        throw new Unknown(`cannot exec in a ${word(task.init.status)} state`);
      task.execs.set(execId, new FakeProcess(request, spec, execId));
      deps.events.publish(namespace, "/tasks/exec-added", TaskExecAddedSchema, { containerId, execId });
      return {};
    },
    resizePty({ containerId, execId, width, height }, context) {
      const { task } = processOf({ containerId, execId }, context);
      task.sizes.push({ execId, width, height });
      return {};
    },
    closeIO(request, context) {
      processOf(request, context);
      return {};
    },
    pause({ containerId }, context) {
      const { namespace, task } = taskOf(containerId, context);
      if (task.init.status !== Status.RUNNING) refuse("pause", task.init.status, "container");
      task.init.status = Status.PAUSED;
      deps.events.publish(namespace, "/tasks/paused", TaskPausedSchema, { containerId });
      return {};
    },
    resume({ containerId }, context) {
      const { namespace, task } = taskOf(containerId, context);
      const { status } = task.init;
      if (status !== Status.PAUSED) refuse("resume", status, status === Status.RUNNING ? "process" : "container");
      task.init.status = Status.RUNNING;
      deps.events.publish(namespace, "/tasks/resumed", TaskResumedSchema, { containerId });
      return {};
    },
    listPids({ containerId }, context) {
      const { task } = taskOf(containerId, context);
      const running = [task.init, ...task.execs.values()].filter(
        ({ pid, status }) => pid !== 0 && status !== Status.STOPPED,
      );
      return { processes: running.map(({ pid }) => ({ pid })) };
    },
    checkpoint({ containerId }, context) {
      taskOf(containerId, context);
      throw new Unknown("the fake takes no checkpoints");
    },
    update({ containerId, resources }, context) {
      const { task } = taskOf(containerId, context);
      if (task.init.status === Status.STOPPED) throw new Unknown("cannot update a stopped container");
      task.updates.push(resources);
      return {};
    },
    metrics({ filters }, context) {
      const { namespace, tasks } = storeOf(deps, context);
      const chosen = select(tasks, filters, ([id]) => fields({ id, namespace }, {}));
      return {
        metrics: chosen
          .filter(([, { metrics }]) => metrics !== undefined)
          .map(([id, { metrics }]) => ({ id, timestamp: now(), data: metrics! })),
      };
    },
    async wait({ containerId, execId }, context) {
      const { process } = processOf({ containerId, execId }, context);
      await process.ended;
      return { exitStatus: process.exitCode, exitedAt: process.exitedAt ?? now() };
    },
  };
}
