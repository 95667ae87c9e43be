import { AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, NotImplemented } from "@longshore/errdefs";
import type { Sandbox } from "@longshore/proto/containerd/runtime/sandbox/v1/sandbox";
import type { ServiceHandlers } from "@longshore/ttrpc";
import { now, timestamp } from "../events/timestamp.ts";

type Time = ReturnType<typeof now>;
type Handlers = Required<ServiceHandlers<typeof Sandbox>>;

/** What the sandbox does with the containers in it. */
export interface SandboxContainers {
  /** Kills all that run. @param timeoutMs how long their ends are waited for; 0 for as long as it takes */
  killAll(timeoutMs: number): Promise<void>;
}

interface State {
  id: string;
  netnsPath: string;
  createdAt: Time;
  started: boolean;
  exitedAt?: Time;
  ended: PromiseWithResolvers<Time>;
}

/**
 * The sandbox service: the shim itself is the sandbox, without a process that only pauses. The caller
 * makes its network namespace, which the specs of its containers name.
 */
export class SandboxService {
  readonly #containers: SandboxContainers;
  readonly #shutdown: () => void;
  #sandbox: State | undefined;

  /** @param shutdown ends the shim */
  constructor(containers: SandboxContainers, shutdown: () => void) {
    this.#containers = containers;
    this.#shutdown = shutdown;
  }

  /** Whether there is one: the shim lives for it even without containers. */
  get exists(): boolean {
    return this.#sandbox !== undefined;
  }

  readonly handlers: Handlers = {
    createSandbox: ({ sandboxId: id, rootfs, netnsPath }) => {
      if (id === "") throw new InvalidArgument("a sandbox id is required");
      if (rootfs.length > 0)
        throw new InvalidArgument(`sandbox ${id} has no process that a root file system could be for`);
      if (this.#sandbox !== undefined) throw new AlreadyExists(`sandbox ${this.#sandbox.id}: already exists`);
      this.#sandbox = { id, netnsPath, createdAt: now(), started: false, ended: Promise.withResolvers() };
      return {};
    },
    startSandbox: ({ sandboxId }) => {
      const sandbox = this.#get(sandboxId);
      if (sandbox.started) throw new FailedPrecondition(`sandbox ${sandboxId} was started already`);
      sandbox.started = true;
      return { pid: process.pid, createdAt: timestamp(sandbox.createdAt) };
    },
    platform: ({ sandboxId }) => {
      this.#get(sandboxId);
      return { platform: { os: "linux", architecture: process.arch === "x64" ? "amd64" : process.arch } };
    },
    stopSandbox: async ({ sandboxId, timeoutSecs }) => {
      await this.#stop(this.#get(sandboxId), timeoutSecs * 1000);
      return {};
    },
    waitSandbox: async ({ sandboxId }) => ({
      exitStatus: 0,
      exitedAt: timestamp(await this.#get(sandboxId).ended.promise),
    }),
    sandboxStatus: ({ sandboxId, verbose }) => {
      const { id, started, createdAt, exitedAt, netnsPath } = this.#get(sandboxId);
      const ready = started && exitedAt === undefined;
      return {
        sandboxId: id,
        pid: process.pid,
        // the names that Kubernetes has for them
        state: ready ? "SANDBOX_READY" : "SANDBOX_NOTREADY",
        info: verbose ? { netnsPath } : {},
        createdAt: timestamp(createdAt),
        ...(exitedAt && { exitedAt: timestamp(exitedAt) }),
      };
    },
    pingSandbox: ({ sandboxId }) => {
      this.#get(sandboxId);
      return {};
    },
    shutdownSandbox: async ({ sandboxId }) => {
      await this.#stop(this.#get(sandboxId), 0);
      this.#shutdown();
      return {};
    },
    sandboxMetrics: ({ sandboxId }) => {
      this.#get(sandboxId);
      throw new NotImplemented(`sandbox ${sandboxId} has no metrics apart from its containers': not implemented`);
    },
  };

  #get(id: string): State {
    if (this.#sandbox?.id !== id) throw new NotFound(`sandbox ${id}: not found`);
    return this.#sandbox;
  }

  async #stop(sandbox: State, timeoutMs: number): Promise<void> {
    await this.#containers.killAll(timeoutMs);
    sandbox.exitedAt ??= now();
    sandbox.ended.resolve(sandbox.exitedAt);
  }
}
