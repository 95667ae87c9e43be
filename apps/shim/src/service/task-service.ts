import { setTimeout as delay } from "node:timers/promises";
import type { Any } from "@bufbuild/protobuf/wkt";
import { AlreadyExists, InvalidArgument, NotFound, Unknown, isKind } from "@longshore/errdefs";
import {
  TaskCreateSchema,
  TaskDeleteSchema,
  TaskExecAddedSchema,
  TaskExecStartedSchema,
  TaskExitSchema,
  TaskOOMSchema,
  TaskPausedSchema,
  TaskResumedSchema,
  TaskStartSchema,
} from "@longshore/proto/containerd/events/events";
import { ProcessDetailsSchema } from "@longshore/proto/containerd/runc/v1/runc";
import { packAny } from "@longshore/proto";
import type { CreateTaskRequest, Task } from "@longshore/proto/containerd/task/v3/task";
import { Status } from "@longshore/proto/containerd/v1/types/task";
import type { ProcessExit } from "@longshore/sys";
import type { ServiceHandlers } from "@longshore/ttrpc";
import { mainFolder, pidsOf } from "../cgroup/cgroup.ts";
import { metricsOf } from "../cgroup/metrics.ts";
import { checkpoint } from "../task/checkpoint.ts";
import { Container } from "../task/container.ts";
import type { Publisher } from "../events/events.ts";
import { killProcess } from "../task/kill.ts";
import type { Process } from "../task/process.ts";
import type { Shim } from "../shim.ts";
import { never, timestamp } from "../events/timestamp.ts";
import { update } from "../task/update.ts";

type Handlers = Required<ServiceHandlers<typeof Task>>;
type Exited = { pid: number; exitStatus: number; exitedAt: ReturnType<typeof timestamp> };

const sigkill = 9;

/** The task service; v2 and v3 have the same messages. */
export class TaskService {
  readonly #shim: Shim;
  readonly #namespace: string;
  readonly #events: Publisher;
  readonly #containers = new Map<string, Container | undefined>();
  readonly #shutdown: () => void;

  constructor(shim: Shim, namespace: string, events: Publisher, shutdown: () => void) {
    this.#shim = shim;
    this.#namespace = namespace;
    this.#events = events;
    this.#shutdown = shutdown;
  }

  readonly handlers: Handlers = {
    create: (request) => this.#create(request),
    start: async ({ id, execId }) => {
      const container = this.#container(id);
      if (execId === "") {
        await container.startInit(({ pid }) =>
          this.#events.publish("/tasks/start", TaskStartSchema, { containerId: id, pid }),
        );
        return { pid: container.init.pid };
      }
      const { pid } = await container.startExec(execId, ({ pid }) =>
        this.#events.publish("/tasks/exec-started", TaskExecStartedSchema, { containerId: id, execId, pid }),
      );
      return { pid };
    },
    delete: async ({ id, execId }) => {
      const container = this.#container(id);
      const process = container.process(execId);
      if (execId !== "") {
        await container.deleteExec(process);
        return exited(process.pid, process.exit);
      }
      const end = exited(process.pid, await container.delete());
      this.#containers.delete(id);
      this.#events.publish("/tasks/delete", TaskDeleteSchema, { containerId: id, ...end });
      return end;
    },
    exec: async (request) => {
      await this.#container(request.id).addExec(request);
      this.#events.publish("/tasks/exec-added", TaskExecAddedSchema, {
        containerId: request.id,
        execId: request.execId,
      });
      return {};
    },
    state: ({ id, execId }) => {
      const container = this.#container(id);
      const { pid, status, request, exit } = container.process(execId);
      const { stdin, stdout, stderr, terminal } = request;
      const frozen = container.init.status === Status.PAUSED || container.init.status === Status.PAUSING;
      const { exitStatus, exitedAt } = exited(pid, exit);
      return {
        id: execId || id,
        bundle: container.bundle,
        pid,
        status: frozen ? container.init.status : status,
        stdin,
        stdout,
        stderr,
        terminal,
        exitStatus,
        exitedAt,
      };
    },
    kill: async ({ id, execId, signal, all }) => {
      const container = this.#container(id);
      await killProcess(container, container.process(execId), signal, all);
      return {};
    },
    wait: async ({ id, execId }) => {
      const process = this.#container(id).process(execId);
      const exit = await process.exited;
      return { exitStatus: exit.status, exitedAt: timestamp(exit) };
    },
    closeIO: ({ id, execId, stdin }) => {
      const container = this.#container(id);
      // The stock shim tells no code here.
      if (execId !== "" && !container.execs.has(execId))
        throw new Unknown(`process does not exist ${execId}: not found`);
      const process = container.process(execId);
      if (stdin) process.stdio.closeInput();
      return {};
    },
    resizePty: ({ id, execId, width, height }) => {
      const process = this.#container(id).process(execId);
      if (execId !== "" && process.status === Status.STOPPED) throw new Unknown("cannot resize a stopped container");
      process.console.resize(width, height);
      return {};
    },
    pids: ({ id }) => {
      const container = this.#container(id);
      const folder = container.cgroup && mainFolder(container.cgroup);
      if (folder === undefined) throw new NotFound(`cgroup of ${id} does not exist: not found`);
      const execs = new Map([...container.execs.values()].map((exec) => [exec.pid, exec.id]));
      return { processes: pidsOf(folder).map((pid) => ({ pid, ...details(execs.get(pid)) })) };
    },
    pause: async ({ id }) => {
      const container = this.#container(id);
      if (container.init.status !== Status.RUNNING)
        throw new Unknown(unable("pause", container.init.status, "container"));
      container.init.status = Status.PAUSING;
      await this.#switch(container, "pause", Status.PAUSED, Status.RUNNING);
      this.#events.publish("/tasks/paused", TaskPausedSchema, { containerId: id });
      return {};
    },
    resume: async ({ id }) => {
      const container = this.#container(id);
      if (container.init.status !== Status.PAUSED)
        throw new Unknown(
          unable("resume", container.init.status, container.init.status === Status.RUNNING ? "process" : "container"),
        );
      await this.#switch(container, "resume", Status.RUNNING, Status.PAUSED);
      this.#events.publish("/tasks/resumed", TaskResumedSchema, { containerId: id });
      return {};
    },
    checkpoint: async ({ id, path, options }) => {
      const container = this.#container(id);
      const { status, state } = container.init;
      if (status === Status.CREATED) throw new Unknown("cannot checkpoint a task in created state");
      if (status === Status.STOPPED) throw new Unknown(`cannot checkpoint a ${state} container`);
      await checkpoint(container, path, options);
      return {};
    },
    update: async ({ id, resources }) => {
      const container = this.#container(id);
      if (container.init.status === Status.STOPPED) throw new Unknown("cannot update a stopped container");
      await update(container, resources);
      return {};
    },
    stats: async ({ id }) => ({ stats: await metricsOf(this.#container(id).cgroup) }),
    connect: ({ id }) => ({ shimPid: process.pid, taskPid: this.#containers.get(id)?.init.pid ?? 0 }),
    shutdown: () => {
      if (this.#containers.size === 0) this.#shutdown();
      return {};
    },
  };

  /** Kills all containers and waits, at most `timeoutMs` unless that is 0, until they have ended. */
  async killAll(timeoutMs: number): Promise<void> {
    const kill = async (container: Container | undefined): Promise<void> => {
      if (container === undefined || container.init.status === Status.STOPPED) return;
      await killProcess(container, container.init, sigkill, true).catch((error: unknown) => {
        if (!isKind(error, "NotFound")) throw error;
      });
      await container.init.exited;
    };
    const ended = Promise.all([...this.#containers.values()].map(kill));
    if (timeoutMs === 0) return void (await ended);
    const over = new AbortController();
    await Promise.race([ended, delay(timeoutMs, undefined, { signal: over.signal })]).finally(() => over.abort());
  }

  async #create(request: CreateTaskRequest): Promise<{ pid: number }> {
    const { id, bundle, rootfs, stdin, stdout, stderr, terminal, checkpoint } = request;
    if (id === "" || !bundle.startsWith("/")) throw new InvalidArgument("id and an absolute bundle are required");
    if (this.#containers.has(id)) throw new AlreadyExists(`container ${id}: already exists`);
    this.#containers.set(id, undefined); // taken while it is being made
    try {
      const container = await Container.create(this.#shim, request, this.#namespace, {
        exit: (process, exit) => this.#exited(id, process, exit),
        oom: () => this.#events.publish("/tasks/oom", TaskOOMSchema, { containerId: id }),
      });
      this.#containers.set(id, container);
      const { pid } = container.init;
      this.#events.publish("/tasks/create", TaskCreateSchema, {
        containerId: id,
        bundle,
        rootfs,
        io: { stdin, stdout, stderr, terminal },
        checkpoint,
        pid,
      });
      return { pid };
    } catch (error) {
      this.#containers.delete(id);
      throw error;
    }
  }

  #container(id: string): Container {
    const container = this.#containers.get(id);
    if (container === undefined) throw new NotFound("container not created: not found");
    return container;
  }

  async #switch(container: Container, verb: "pause" | "resume", done: Status, before: Status): Promise<void> {
    const { init, runc } = container;
    try {
      await runc.run(`OCI runtime ${verb} failed`, [verb, container.id]);
      if (init.exit === undefined) init.status = done;
    } catch (error) {
      if (init.exit === undefined) init.status = before;
      throw error;
    }
  }

  #exited(containerId: string, process: Process, exit: ProcessExit): void {
    this.#events.publish("/tasks/exit", TaskExitSchema, {
      containerId,
      id: process.id || containerId,
      ...exited(process.pid, exit),
    });
  }
}

/** In the runc shim's words, which clients of containerd show. */
function unable(verb: "pause" | "resume", status: Status, what: string): string {
  const state = Status[status].toLowerCase();
  return status === Status.CREATED ? `cannot ${verb} task in created state` : `cannot ${verb} a ${state} ${what}`;
}

function exited(pid: number, exit: ProcessExit | undefined): Exited {
  return { pid, exitStatus: exit?.status ?? 0, exitedAt: timestamp(exit ?? never) };
}

function details(execId: string | undefined): { info?: Any } {
  return execId === undefined ? {} : { info: packAny(ProcessDetailsSchema, { execId }) };
}
