import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { AlreadyExists, NotFound, isKind, messageOf, wrap } from "@longshore/errdefs";
import { validateIdentifier } from "@longshore/reference";
import type { Logger } from "@longshore/logger";
import { span } from "@longshore/telemetry";
import { isConnectionLost } from "@longshore/ttrpc";
import { resolveShim } from "./shim/binary.ts";
import { Bundle, taskDir, unmountBelow } from "./bundle.ts";
import type { CreateOptions, Exit, RuntimeConfig, RuntimeEvents } from "./contract.ts";
import { cleanUp, cleanupTimeoutMs, publishDeadShim } from "./shim/dead-shim.ts";
import { ExitEvents } from "./shim/exit-events.ts";
import { LogPipes } from "./shim/logpipe.ts";
import { PreparedShims } from "./shim/prepared.ts";
import { Shim } from "./shim/shim.ts";
import { Task } from "./task.ts";

const shutdownTimeoutMs = 3000;
/** From this version on a shim serves the tasks of its sandbox on the connection that is there. */
const sandboxVersion = 3;

/** What `TaskManager` stands on. */
export interface RuntimeDeps {
  config: RuntimeConfig;
  events: RuntimeEvents;
  log: Logger;
}

async function openCheckpoint(bundle: Bundle, checkpoint: CreateOptions["checkpoint"]): Promise<string> {
  if (typeof checkpoint === "string") return checkpoint;
  try {
    const path = await bundle.makeCheckpointDir();
    await checkpoint(path);
    return path;
  } catch (error) {
    await bundle.delete();
    throw error;
  }
}

/** All tasks and their shims: makes, finds and ends them, and cleans up after shims that die. */
export class TaskManager {
  readonly deps: RuntimeDeps;
  readonly #tasks = new Map<string, Task>();
  readonly logs = new LogPipes();
  /** Ids whose task is being made. */
  readonly #creating = new Set<string>();
  /** Names of deleted tasks whose shim and bundle are not gone yet. */
  readonly #releasing = new Map<string, Promise<void>>();
  readonly #exitEvents: ExitEvents;
  readonly #prepared: PreparedShims;
  #closing = false;

  constructor(deps: RuntimeDeps) {
    this.deps = deps;
    this.#exitEvents = new ExitEvents(deps.events, deps.log, (namespace, id) => this.#tasks.get(`${namespace}/${id}`));
    this.#prepared = new PreparedShims(deps.config);
  }

  /** @throws NotFound */
  get(namespace: string, id: string): Task {
    const task = this.#tasks.get(`${namespace}/${id}`);
    if (task === undefined) throw new NotFound(`task ${id} not found`);
    return task;
  }

  has(namespace: string, id: string): boolean {
    return this.#tasks.has(`${namespace}/${id}`);
  }

  /** The tasks of a namespace. */
  list(namespace: string): Task[] {
    return [...this.#tasks.values()].filter((task) => task.namespace === namespace);
  }

  /**
   * Makes the bundle, starts the shim, creates the container.
   * @returns the task and the pid of its init
   * @throws AlreadyExists, InvalidArgument for the id, NotFound for the shim, and what the shim says
   */
  async create(namespace: string, id: string, options: CreateOptions): Promise<{ task: Task; pid: number }> {
    validateIdentifier(namespace, "namespace: ");
    validateIdentifier(id, "invalid task id: ");
    const key = `${namespace}/${id}`;
    if (this.#tasks.has(key) || this.#creating.has(key)) throw new AlreadyExists(`task ${id}: already exists`);
    this.#creating.add(key);
    try {
      await this.#releasing.get(key);
      return await this.#create(namespace, id, options);
    } finally {
      this.#creating.delete(key);
    }
  }

  async #create(namespace: string, id: string, options: CreateOptions): Promise<{ task: Task; pid: number }> {
    const { config } = this.deps;
    const { sandbox } = options;
    const binary =
      sandbox?.binary ??
      (await resolveShim(options.runtime, config.shimDirs).catch((error: unknown) => {
        throw wrap("failed to start shim: failed to resolve runtime path", error);
      }));
    const bundle = await span("bundle", () => Bundle.create(config.root, config.state, namespace, id, options.spec));
    const shimOptions =
      options.taskOptions === undefined || options.taskOptions.value.length === 0
        ? options.runtimeOptions
        : options.taskOptions;
    const checkpoint = await openCheckpoint(bundle, options.checkpoint);
    let shim: Shim;
    try {
      // Written before the shim runs: a restart must know whom to ask to clean up.
      await bundle.write("shim-binary-path", binary);
      if (sandbox !== undefined && sandbox.bootstrap.version >= sandboxVersion) {
        shim = await Shim.join(bundle, binary, sandbox.id, sandbox.bootstrap);
      } else {
        this.logs.open(bundle);
        shim = await span("shim start", () =>
          Shim.start(bundle, binary, shimOptions, config, (command) => this.#prepared.start(command)),
        );
      }
    } catch (error) {
      await this.abandon(bundle, binary);
      throw wrap(
        sandbox === undefined
          ? "failed to start shim: start failed"
          : `failed to start shim: failed to load sandbox task "${sandbox.id}"`,
        error,
      );
    }
    const task = this.adopt(shim);
    try {
      const { io, rootfs } = options;
      const pid = await shim.create({
        id,
        bundle: bundle.path,
        rootfs: [...rootfs],
        ...io,
        checkpoint,
        ...(shimOptions && { options: shimOptions }),
      });
      return { task, pid };
    } catch (error) {
      if (isConnectionLost(error)) await shim.closed;
      await (task.death ?? this.#discard(task));
      throw wrap("failed to create shim task", error);
    }
  }

  /**
   * Deletes a task that has ended (or never started). Its shim ends and its bundle goes a moment later; a task of
   * the same name waits for that, and what is left when this process is killed meanwhile goes at its next start.
   * @throws NotFound, and what the shim says while the task runs
   */
  async delete(namespace: string, id: string): Promise<Exit> {
    const task = this.get(namespace, id);
    return task.deleteOnce(() => this.#delete(task));
  }

  async #delete(task: Task): Promise<Exit> {
    let exit: Exit;
    try {
      const { pid, exitStatus, exitedAt } = await task.shim.task.delete({ id: task.id });
      exit = { pid, status: exitStatus, exitedAt: exitedAt ?? timestampNow() };
    } catch (error) {
      if (isConnectionLost(error)) {
        await task.shim.closed;
        if (task.death !== undefined) return task.death;
        throw wrap("failed to delete task", error);
      }
      // Gone from the shim: its rests are removed all the same, and the caller learns it.
      if (!isKind(error, "NotFound")) throw wrap("failed to delete task", error);
      await this.#release(task);
      task.shim.close();
      throw wrap("failed to delete task", error);
    }
    // Whoever is told of the deletion may remove the snapshots.
    unmountBelow(task.shim.bundle.path);
    // At once, for an exit that is told in its place may close the connection, and that of a task which is still known would count as its shim's death.
    void this.#exitEvents.begin(task, exit);
    this.#releaseLater(task);
    return exit;
  }

  #releaseLater(task: Task): void {
    const key = `${task.namespace}/${task.id}`;
    const released = this.#release(task)
      .catch((error: unknown) =>
        this.deps.log.error({ id: task.id, error: messageOf(error) }, "failed to remove bundle"),
      )
      .finally(() => this.#releasing.delete(key));
    this.#releasing.set(key, released);
  }

  /** Ends the shim of a task that it has let go, and removes what belongs to both. */
  async #release(task: Task): Promise<void> {
    const { shim } = task;
    this.#forget(task);
    try {
      await shim.shutdown(shutdownTimeoutMs);
    } catch (error) {
      this.deps.log.warn({ id: task.id, error: messageOf(error) }, "failed to shut down shim");
    }
    this.logs.close(shim.bundle);
    await shim.bundle.delete();
  }

  /** Undoes a creation that failed in the shim. */
  async #discard(task: Task): Promise<void> {
    const { shim } = task;
    const { log } = this.deps;
    this.#forget(task);
    try {
      await shim.task.delete({ id: task.id }, { timeoutMs: cleanupTimeoutMs });
    } catch (error) {
      log.debug({ id: task.id, error: messageOf(error) }, "failed to delete task");
    }
    await shim
      .shutdown(shutdownTimeoutMs)
      .catch((error: unknown) => log.warn({ id: task.id, error: messageOf(error) }, "failed to shut down shim"));
    shim.close();
    this.logs.close(shim.bundle);
    await shim.bundle.delete();
  }

  /** Makes a connected shim a task of this manager. */
  adopt(shim: Shim): Task {
    const task = new Task(shim);
    this.#tasks.set(`${task.namespace}/${task.id}`, task);
    void this.#watch(task);
    return task;
  }

  /** Begins to wait before anyone else can, so that all others find the death recorded. */
  async #watch(task: Task): Promise<void> {
    await task.shim.closed;
    if (!this.#closing && this.#tasks.get(`${task.namespace}/${task.id}`) === task) task.die(this.#cleanUpAfter(task));
  }

  /** The shim of `task` died: its `delete` finds the end, which is announced in its place. */
  async #cleanUpAfter(task: Task): Promise<Exit> {
    const { log, config, events } = this.deps;
    const { bundle, binary } = task.shim;
    log.info({ id: task.id, namespace: task.namespace }, "shim disconnected");
    const exit = await cleanUp(bundle, binary, config, log);
    this.logs.close(bundle);
    publishDeadShim(bundle, exit, events);
    this.#forget(task);
    return exit;
  }

  /** Cleans up a bundle whose shim cannot be reached, through the shim's `delete`. */
  async abandon(bundle: Bundle, binary: string | undefined): Promise<Exit> {
    this.logs.close(bundle);
    return cleanUp(bundle, binary, this.deps.config, this.deps.log);
  }

  #forget(task: Task): void {
    const key = `${task.namespace}/${task.id}`;
    if (this.#tasks.get(key) === task) this.#tasks.delete(key);
  }

  /** Makes the directories, and begins to hear what shims tell. */
  async prepare(): Promise<void> {
    this.#exitEvents.start();
    const { root, state } = this.deps.config;
    for (const base of [root, state]) await mkdir(join(base, taskDir), { recursive: true, mode: 0o711 });
  }

  /** Resolves when of the tasks deleted so far nothing is left. */
  async settled(): Promise<void> {
    await Promise.all(this.#releasing.values());
  }

  /** Lets all shims go; they and their containers run on. */
  close(): void {
    this.#closing = true;
    this.#exitEvents.close();
    this.#prepared.close();
    for (const { shim } of this.#tasks.values()) shim.close();
    this.logs.closeAll();
  }
}
