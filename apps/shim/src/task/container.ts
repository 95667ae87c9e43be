import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, Unknown, wrap } from "@longshore/errdefs";
import type { CreateTaskRequest, ExecProcessRequest } from "@longshore/proto/containerd/task/v3/task";
import { Status } from "@longshore/proto/containerd/v1/types/task";
import { type ProcessExit, kill, mountAll, unmountAll } from "@longshore/sys";
import { span } from "@longshore/telemetry";
import { AttachServer } from "../stdio/attach.ts";
import { bundleFile, readPid, removeBundleFile, writeBundleFile, writeExit } from "./bundle.ts";
import { anticipateMove } from "../cgroup/anticipate.ts";
import { type Cgroup, cgroupOf } from "../cgroup/cgroup.ts";
import { watchOom } from "../cgroup/oom.ts";
import { ConsoleSocket } from "../stdio/console.ts";
import { log } from "../log.ts";
import { retryTransient } from "./retry.ts";
import { type RuntimeOptions, runtimeOptions, writeOptions } from "./options.ts";
import { Process } from "./process.ts";
import { Runc } from "../runc/runc.ts";
import type { Shim } from "../shim.ts";
import { Stdio } from "../stdio/stdio.ts";

/** What a container tells while it lives. */
export interface ContainerEvents {
  exit(process: Process, exit: ProcessExit): void;
  oom(): void;
}

const sigkill = 9;

/** What the shim keeps in a bundle while the container is there. Init's exit stays, for `delete`. */
const ownFiles = [bundleFile.attach, bundleFile.pid, bundleFile.options, bundleFile.runtime];

let sequence = 0;

/** A container of this shim: its init, its execs, and the runtime that knows it. */
export class Container {
  readonly id: string;
  readonly bundle: string;
  readonly namespace: string;
  readonly runc: Runc;
  readonly init: Process;
  readonly execs = new Map<string, Process>();
  readonly options: RuntimeOptions;
  readonly checkpoint: string;
  cgroup: Cgroup | undefined;
  readonly #shim: Shim;
  readonly #attach: AttachServer;
  readonly #events: ContainerEvents;
  #stopOom: () => void = () => undefined;
  #ownPidNamespace = true;

  private constructor(
    shim: Shim,
    request: CreateTaskRequest,
    namespace: string,
    options: RuntimeOptions,
    stdio: Stdio,
    events: ContainerEvents,
  ) {
    this.#shim = shim;
    this.#events = events;
    this.id = request.id;
    this.bundle = request.bundle;
    this.namespace = namespace;
    this.options = options;
    this.checkpoint = request.checkpoint;
    this.runc = new Runc(shim.children, options, request.bundle, namespace);
    this.init = new Process(shim, "", request, stdio);
    this.#attach = new AttachServer(shim, (id) => {
      const process = id === "" ? this.init : this.execs.get(id);
      return process?.stdio.begun === true ? process : undefined;
    });
  }

  /** Mounts the root file system and creates the container; what fails leaves nothing behind. */
  static async create(
    shim: Shim,
    request: CreateTaskRequest,
    namespace: string,
    events: ContainerEvents,
  ): Promise<Container> {
    const options = runtimeOptions(request.options);
    const rootfs = join(request.bundle, bundleFile.rootfs);
    writeOptions(request.bundle, options);
    if (request.rootfs.length > 0) {
      mkdirSync(rootfs, { recursive: true, mode: 0o711 });
      await span("mounts", async () => mountAll(request.rootfs, rootfs));
    }
    let container: Container | undefined;
    try {
      const stdio = await Stdio.open(shim, request, {
        id: request.id,
        namespace,
        uid: options.ioUid,
        gid: options.ioGid,
      }).catch((error: unknown) => {
        throw wrap("failed to create init process I/O", error);
      });
      container = new Container(shim, request, namespace, options, stdio, events);
      container.#listen(stdio);
      if (request.checkpoint === "") await container.#createInit();
      else stdio.begin(); // the start restores it: clients may attach before
      return container;
    } catch (error) {
      await container?.init.close(0);
      container?.abandon();
      unmountAll(rootfs);
      for (const name of ownFiles) removeBundleFile(request.bundle, name);
      throw error;
    }
  }

  /** Takes back what creating it set up outside the runtime. */
  abandon(): void {
    this.#attach.close();
    this.#stopOom();
  }

  process(execId: string): Process {
    if (execId === "") return this.init;
    const process = this.execs.get(execId);
    if (process === undefined) throw new NotFound(`process does not exist ${execId}: not found`);
    return process;
  }

  /** @param tell is called before an exit is told */
  async startInit(tell: (process: Process) => void): Promise<void> {
    const start = async (): Promise<void> => {
      if (this.checkpoint === "") await this.runc.run("OCI runtime start failed", ["start", this.id]);
      else
        await this.#launch(this.init, "OCI runtime restore failed", bundleFile.pid, (extra) => [
          "restore",
          ...this.#createArgs(extra),
          "--detach",
          "--image-path",
          this.checkpoint,
          this.id,
        ]);
    };
    await this.init.start(start, () => tell(this.init));
  }

  async addExec(request: ExecProcessRequest): Promise<void> {
    if (request.execId === "") throw new InvalidArgument("exec id must not be empty");
    if (this.execs.has(request.execId)) throw new AlreadyExists(`id ${request.execId}: already exists`);
    if (this.init.status === Status.STOPPED || this.init.status === Status.PAUSED)
      throw new Unknown(`cannot exec in a ${this.init.state} state`);
    const stdio = await Stdio.open(this.#shim, request, {
      id: this.id,
      namespace: this.namespace,
      uid: this.options.ioUid,
      gid: this.options.ioGid,
    });
    const process = new Process(this.#shim, request.execId, request, stdio);
    process.spec = request.spec?.value ?? new Uint8Array();
    if (stdio.attach !== "") stdio.begin(); // clients attach before the start
    this.execs.set(request.execId, process);
    this.#listen(stdio);
  }

  /** @param tell is called before an exit is told */
  async startExec(execId: string, tell: (process: Process) => void): Promise<Process> {
    if (this.init.status === Status.STOPPED)
      throw new FailedPrecondition(`container ${this.id} init process is not running: failed precondition`);
    const process = this.process(execId);
    const start = async (): Promise<void> => {
      const name = `exec-${sequence++}`;
      try {
        writeBundleFile(this.bundle, `${name}.json`, Buffer.from(process.spec!).toString());
        await this.#launch(process, "OCI runtime exec failed", `${name}.pid`, (extra) => [
          "exec",
          "--process",
          join(this.bundle, `${name}.json`),
          ...extra,
          "--detach",
          this.id,
        ]);
      } finally {
        removeBundleFile(this.bundle, `${name}.json`);
        removeBundleFile(this.bundle, `${name}.pid`);
      }
    };
    await process
      .start(start, () => tell(process))
      .catch((error: unknown) => {
        if (process.pid === 0) process.abandon();
        throw error;
      });
    return process;
  }

  /** Removes the container; its init must not run. */
  async delete(): Promise<ProcessExit> {
    if (this.init.status !== Status.CREATED && this.init.status !== Status.STOPPED)
      throw new Unknown(`cannot delete a ${this.init.state} process`);
    const gone = (error: unknown): void => {
      if (!(error instanceof Error) || !/does not exist/.test(error.message)) throw error;
    };
    await this.runc.run("OCI runtime delete failed", ["delete", this.id]).catch(gone);
    const exit =
      this.init.pid === 0
        ? { pid: 0, status: 137, seconds: Math.floor(Date.now() / 1000), nanoseconds: 0 }
        : await this.init.exited;
    await this.init.close();
    for (const exec of this.execs.values()) await exec.close(0);
    this.#attach.close();
    this.#stopOom();
    unmountAll(join(this.bundle, bundleFile.rootfs));
    for (const name of ownFiles) removeBundleFile(this.bundle, name);
    return exit;
  }

  async deleteExec(process: Process): Promise<void> {
    if (process.running) throw new Unknown("cannot delete a running process");
    await process.close();
    this.execs.delete(process.id);
  }

  #listen(stdio: Stdio): void {
    if (stdio.attach === "") return;
    writeBundleFile(this.bundle, bundleFile.attach, stdio.attach);
    this.#attach.listen(stdio.attach);
  }

  #createArgs(extra: readonly string[]): string[] {
    const args = ["--bundle", this.bundle, ...extra];
    if (this.options.noPivotRoot) args.push("--no-pivot");
    return args;
  }

  async #createInit(): Promise<void> {
    const keyring = this.options.noNewKeyring ? ["--no-new-keyring"] : [];
    await this.#launch(this.init, "OCI runtime create failed", bundleFile.pid, (extra) => [
      "create",
      ...this.#createArgs(extra),
      ...keyring,
      this.id,
    ]);
  }

  /** Has the runtime make a process and adopts it; `args` gets the options that all such calls share. */
  async #launch(process: Process, what: string, pidFile: string, args: (extra: string[]) => string[]): Promise<void> {
    const socket = process.stdio.terminal ? new ConsoleSocket(this.bundle) : undefined;
    try {
      await this.#shim.children.hold(async () => {
        const extra = [
          "--pid-file",
          join(this.bundle, pidFile),
          ...(socket === undefined ? [] : ["--console-socket", socket.name]),
        ];
        anticipateMove();
        await this.runc.run(what, args(extra), process.stdio.terminal ? undefined : process.stdio.child);
        const pid = await retryTransient(() => readPid(this.bundle, pidFile));
        if (pid === undefined) throw new FailedPrecondition(`${what}: the runtime wrote no pid`);
        try {
          process.stdio.begin();
          if (socket !== undefined)
            process.console.open(this.#shim, process.stdio.channel, await retryTransient(() => socket.receive()));
        } catch (error) {
          // It is there already, and nobody would ever know of it.
          await this.#undo(process, pid);
          throw error;
        }
        if (process === this.init) this.#observe(pid);
        process.adopt(
          pid,
          this.#shim.children.claim(pid),
          (exit) => this.#ended(process, exit),
          (exit) => this.#events.exit(process, exit),
        );
      });
    } finally {
      socket?.close();
      process.stdio.started();
    }
  }

  async #undo(process: Process, pid: number): Promise<void> {
    if (process !== this.init) return kill(pid, sigkill);
    await retryTransient(() => this.runc.run("OCI runtime delete failed", ["delete", "--force", this.id])).catch(
      (error: unknown) => log("error", `${this.id} could not be taken back`, error),
    );
  }

  #observe(pid: number): void {
    try {
      this.cgroup = cgroupOf(pid);
      this.#stopOom = watchOom(this.#shim, this.cgroup, () => this.#events.oom());
      // the last of its pids is the one in its own namespace
      this.#ownPidNamespace = /^NSpid:.*\s1$/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
    } catch (error) {
      log("warn", `init ${pid} ended before it could be looked at`, error);
    }
  }

  /** Before an exit is told: keep init's, and end what shared its pid namespace. Execs come first. */
  async #ended(process: Process, exit: ProcessExit): Promise<void> {
    if (process !== this.init) return;
    try {
      await retryTransient(() => writeExit(this.bundle, exit));
    } catch (error) {
      log("error", `exit of ${this.id} could not be kept`, error);
    }
    if (!this.#ownPidNamespace)
      await this.runc
        .run("kill all", ["kill", "--all", this.id, String(sigkill)])
        .catch((error: unknown) => log("debug", "kill all", error));
    await Promise.all([...this.execs.values()].filter((exec) => exec.pid > 0).map((exec) => exec.exited));
  }
}
