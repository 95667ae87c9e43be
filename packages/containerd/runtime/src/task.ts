import type { Any } from "@bufbuild/protobuf/wkt";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { NotFound, isKind, messageOf } from "@longshore/errdefs";
import { validateIdentifier } from "@longshore/reference";
import type { Process, ProcessInfo } from "@longshore/proto/containerd/v1/types/task";
import { isConnectionLost } from "@longshore/ttrpc";
import type { Exit, TaskIO } from "./contract.ts";
import { type Shim } from "./shim/shim.ts";

/** What of a process its shim knows. */
export type ProcessState = Pick<
  Process,
  "id" | "pid" | "status" | "stdin" | "stdout" | "stderr" | "terminal" | "exitStatus" | "exitedAt"
>;

/** A running container, served by its shim. `execId` is "" for the container's init. */
export class Task {
  readonly shim: Shim;
  /** Set once the shim is gone: how its clean-up ended. */
  #death: Promise<Exit> | undefined;
  #deletion: Promise<Exit> | undefined;

  constructor(shim: Shim) {
    this.shim = shim;
  }

  get id(): string {
    return this.shim.id;
  }

  get namespace(): string {
    return this.shim.namespace;
  }

  get death(): Promise<Exit> | undefined {
    return this.#death;
  }

  /** Records that the shim is gone and what its clean-up will find. */
  die(death: Promise<Exit>): void {
    this.#death = death;
  }

  get isDeleting(): boolean {
    return this.#deletion !== undefined;
  }

  /** One deletion runs at a time; who comes second waits, and tries itself if the first failed. */
  async deleteOnce(run: () => Promise<Exit>): Promise<Exit> {
    while (this.#deletion !== undefined) {
      const succeeded = await this.#deletion.then(
        () => true,
        () => false,
      );
      if (succeeded) throw this.missing();
    }
    this.#deletion = run();
    try {
      return await this.#deletion;
    } finally {
      this.#deletion = undefined;
    }
  }

  /** @throws NotFound for an exec that is not there, or when the shim is gone */
  async state(execId: string): Promise<ProcessState> {
    const {
      $typeName: _,
      bundle: __,
      execId: ___,
      ...state
    } = await this.#ask(() => this.shim.task.state({ id: this.id, execId }));
    return { ...state, id: execId === "" ? this.id : execId };
  }

  /** @returns the pid of the process */
  async start(execId: string): Promise<number> {
    return (await this.#onProcess(execId, () => this.shim.task.start({ id: this.id, execId }))).pid;
  }

  async kill(execId: string, signal: number, all: boolean): Promise<void> {
    await this.#onProcess(execId, () => this.shim.task.kill({ id: this.id, execId, signal, all }));
  }

  /** Registers a process; `start` runs it. @throws InvalidArgument, AlreadyExists for the id */
  async exec(execId: string, spec: Any | undefined, io: TaskIO): Promise<void> {
    validateIdentifier(execId, `invalid exec id ${execId}: `);
    await this.#ask(() => this.shim.task.exec({ id: this.id, execId, ...(spec && { spec }), ...io }));
  }

  async resizePty(execId: string, width: number, height: number): Promise<void> {
    await this.#onProcess(execId, () => this.shim.task.resizePty({ id: this.id, execId, width, height }));
  }

  async closeIO(execId: string, stdin: boolean): Promise<void> {
    await this.#onProcess(execId, () => this.shim.task.closeIO({ id: this.id, execId, stdin }));
  }

  async pause(): Promise<void> {
    await this.#ask(() => this.shim.task.pause({ id: this.id }));
  }

  async resume(): Promise<void> {
    await this.#ask(() => this.shim.task.resume({ id: this.id }));
  }

  async pids(): Promise<ProcessInfo[]> {
    return (await this.#ask(() => this.shim.task.pids({ id: this.id }))).processes;
  }

  /** @param path directory that the criu images go to */
  async checkpoint(path: string, options: Any | undefined): Promise<void> {
    await this.#ask(() => this.shim.task.checkpoint({ id: this.id, path, ...(options && { options }) }));
  }

  async update(resources: Any | undefined, annotations: Record<string, string>): Promise<void> {
    await this.#ask(() => this.shim.task.update({ id: this.id, ...(resources && { resources }), annotations }));
  }

  /** cgroup metrics, packed. @throws NotFound without a cgroup */
  async stats(): Promise<Any | undefined> {
    return (await this.#ask(() => this.shim.task.stats({ id: this.id }))).stats;
  }

  /**
   * Waits for the end of a process, also by way of its shim's death.
   * @param signal aborts the waiting, not the process
   */
  async wait(execId: string, signal?: AbortSignal): Promise<Exit> {
    try {
      const { exitStatus, exitedAt } = await this.#onProcess(execId, () =>
        this.shim.task.wait({ id: this.id, execId }, signal === undefined ? {} : { signal }),
      );
      return { pid: 0, status: exitStatus, exitedAt: exitedAt ?? timestampNow() };
    } catch (error) {
      if (this.#death === undefined) throw error;
      return this.#death;
    }
  }

  /** Removes an exec that has ended. */
  async deleteProcess(execId: string): Promise<Exit> {
    const { pid, exitStatus, exitedAt } = await this.#onProcess(execId, () =>
      this.shim.task.delete({ id: this.id, execId }),
    );
    return { pid, status: exitStatus, exitedAt: exitedAt ?? timestampNow() };
  }

  missing(): NotFound {
    return new NotFound(`task ${this.id} not found`);
  }

  /** For an exec that is not there, the error is that of asking for it, as in containerd: it names the exec. */
  async #onProcess<T>(execId: string, call: () => Promise<T>): Promise<T> {
    try {
      return await this.#ask(call);
    } catch (error) {
      // Not each of a shim's calls tells the code of that.
      if (execId !== "" && this.#death === undefined && (isKind(error, "NotFound") || isKind(error, "Unknown")))
        await this.state(execId);
      throw error;
    }
  }

  async #ask<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (!isConnectionLost(error)) throw error;
      // The connection's end is seen a moment later than the call's.
      await this.shim.closed;
      throw new NotFound(`task ${this.id}: ${messageOf(error)}: not found`, { cause: error });
    }
  }
}
