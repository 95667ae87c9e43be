import type { Any } from "@bufbuild/protobuf/wkt";
import { NotFound, isKind } from "@longshore/errdefs";
import type { ServiceClient } from "@longshore/proto";
import { Sandbox } from "@longshore/proto/containerd/runtime/sandbox/v1/sandbox";
import { Task as TaskV2 } from "@longshore/proto/containerd/task/v2/task";
import { Task as TaskV3 } from "@longshore/proto/containerd/task/v3/task";
import { Connection, createClient, isConnectionLost, namespaceKey } from "@longshore/ttrpc";
import { type Bootstrap, bootstrapFile, decodeStart, decodeStored, encodeStart, encodeStored } from "./bootstrap.ts";
import type { Bundle } from "../bundle.ts";
import { runShim } from "./command.ts";
import type { RuntimeConfig } from "../contract.ts";

/** The task API; versions 2 and 3 differ in nothing but the name of the service. */
export type TaskClient = ServiceClient<typeof TaskV2>;

/** The API of a shim that is a sandbox's. */
export type SandboxClient = ServiceClient<typeof Sandbox>;

const startTimeoutMs = 30_000;
/** The bundle's file that names the sandbox whose shim serves the task. */
const sandboxFile = "sandbox";

/** A connection to the shim that serves one task. */
export class Shim {
  readonly bundle: Bundle;
  readonly binary: string;
  readonly #connection: Connection;
  /** Settles when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;
  #bootstrap: Bootstrap;
  #task: TaskClient;
  /** Whether the shim is that of a sandbox, which alone decides on its end. */
  readonly #sandboxed: boolean;

  private constructor(bundle: Bundle, binary: string, connection: Connection, bootstrap: Bootstrap, sandboxed = false) {
    this.bundle = bundle;
    this.binary = binary;
    this.#connection = connection;
    this.closed = connection.closed;
    this.#bootstrap = bootstrap;
    this.#task = taskClient(connection, bootstrap.version, bundle.namespace);
    this.#sandboxed = sandboxed;
  }

  /**
   * Starts the shim of a bundle, or finds the one that its group has already, and connects.
   * `run` runs its `start`, or has a waiting shim do the same. The result is stored before it is used, so that a restart finds the shim again.
   */
  static async start(
    bundle: Bundle,
    binary: string,
    options: Any | undefined,
    config: RuntimeConfig,
    run = runShim,
  ): Promise<Shim> {
    const stdin = encodeStart(binary, bundle.namespace, bundle.id, options, config);
    const { stdout, stderr } = await run({ binary, bundle, action: "start", stdin, timeoutMs: startTimeoutMs }, config);
    // Old shims print to one buffer; what a new one says beside its result is no part of it.
    const bootstrap = decodeStart(stdout.length > 0 ? stdout : Buffer.from(stderr));
    return new Shim(bundle, binary, await connectStored(bundle, bootstrap), bootstrap);
  }

  /** Connects a task to the shim of its sandbox; what is stored lets a restart find it again. */
  static async join(bundle: Bundle, binary: string, sandboxId: string, bootstrap: Bootstrap): Promise<Shim> {
    await bundle.write(sandboxFile, sandboxId);
    return new Shim(bundle, binary, await connectStored(bundle, bootstrap), bootstrap, true);
  }

  /** Connects to the shim that a former containerd started. Nothing when none was recorded. */
  static async load(bundle: Bundle, binary: string): Promise<Shim | undefined> {
    const stored = await bundle.read(bootstrapFile);
    const sandboxed = (await bundle.read(sandboxFile)) !== undefined;
    if (stored !== undefined) {
      const bootstrap = decodeStored(stored);
      return new Shim(bundle, binary, await Connection.open(bootstrap.address), bootstrap, sandboxed);
    }
    if (sandboxed) throw new NotFound("the task had not yet joined its sandbox");
    const address = await bundle.read("address");
    if (address === undefined || address === "") return undefined;
    const bootstrap: Bootstrap = { version: 2, address, protocol: "ttrpc" };
    const shim = new Shim(bundle, binary, await Connection.open(address), bootstrap);
    await bundle.write(bootstrapFile, encodeStored(bootstrap), 0o644);
    return shim;
  }

  get id(): string {
    return this.bundle.id;
  }

  get namespace(): string {
    return this.bundle.namespace;
  }

  get task(): TaskClient {
    return this.#task;
  }

  get bootstrap(): Bootstrap {
    return this.#bootstrap;
  }

  /** The sandbox API, if the shim has it. */
  get sandbox(): SandboxClient {
    return createClient(Sandbox, this.#connection, { metadata: { [namespaceKey]: this.namespace } });
  }

  /** Runs Create; a shim that claims version 3 and does not know it is asked by version 2 from then on. */
  async create(request: Parameters<TaskClient["create"]>[0], signal?: AbortSignal): Promise<number> {
    const options = signal === undefined ? {} : { signal };
    try {
      return (await this.#task.create(request, options)).pid;
    } catch (error) {
      if (!isKind(error, "NotImplemented") || this.#bootstrap.version !== 3) throw error;
      this.#bootstrap = { ...this.#bootstrap, version: 2 };
      this.#task = taskClient(this.#connection, 2, this.namespace);
      await this.bundle.write(bootstrapFile, encodeStored(this.#bootstrap), 0o644);
      return (await this.#task.create(request, options)).pid;
    }
  }

  /** Asks the shim to end; it does so when it serves no other task. That of a sandbox is not asked. */
  async shutdown(timeoutMs: number, now = false): Promise<void> {
    if (this.#sandboxed) return;
    try {
      await this.#task.shutdown({ id: this.id, now }, { timeoutMs });
    } catch (error) {
      if (!isConnectionLost(error)) throw error;
    }
  }

  close(): void {
    this.#connection.close();
  }
}

/** Connects, and stores meanwhile how to do it again. */
async function connectStored(bundle: Bundle, bootstrap: Bootstrap): Promise<Connection> {
  const [opened, stored] = await Promise.allSettled([
    Connection.open(bootstrap.address),
    bundle.write(bootstrapFile, encodeStored(bootstrap), 0o644),
  ]);
  if (opened.status === "rejected") throw opened.reason;
  if (stored.status === "fulfilled") return opened.value;
  opened.value.close();
  throw stored.reason;
}

function taskClient(connection: Connection, version: number, namespace: string): TaskClient {
  const defaults = { metadata: { [namespaceKey]: namespace } };
  if (version === 2) return createClient(TaskV2, connection, defaults);
  return createClient(TaskV3, connection, defaults) as unknown as TaskClient;
}
