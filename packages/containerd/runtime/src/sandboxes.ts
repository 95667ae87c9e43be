import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Any } from "@bufbuild/protobuf/wkt";
import { AlreadyExists, NotFound, Unknown, isKind, messageOf, wrap } from "@longshore/errdefs";
import { validateIdentifier } from "@longshore/reference";
import type {
  SandboxMetricsResponse,
  SandboxStatusResponse,
  StartSandboxResponse,
  WaitSandboxResponse,
} from "@longshore/proto/containerd/runtime/sandbox/v1/sandbox";
import type { Mount } from "@longshore/proto/containerd/types/types";
import { removeTree } from "@longshore/sys";
import { isConnectionLost } from "@longshore/ttrpc";
import { resolveShim } from "./shim/binary.ts";
import { Bundle, listBundles, orphanedWork, sandboxDir, unmountBelow } from "./bundle.ts";
import type { SandboxEndpoint } from "./contract.ts";
import { cleanUp, publishDeadShim } from "./shim/dead-shim.ts";
import { LogPipes } from "./shim/logpipe.ts";
import type { RuntimeDeps } from "./manager.ts";
import { type SandboxClient, Shim } from "./shim/shim.ts";

/** How long a shim may take to end, or to answer after a restart. */
const shimTimeoutMs = 5000;

export interface SandboxOptions {
  /** Runtime name or the absolute path of a shim. */
  runtime: string;
  runtimeOptions?: Any | undefined;
  /** The bundle's `config.json`; empty for none. */
  spec: Uint8Array;
  rootfs: Mount[];
  options?: Any | undefined;
  netnsPath: string;
  annotations: Record<string, string>;
}

/** The sandboxes that a shim is: containerd's controller "shim". */
export class SandboxManager {
  readonly #deps: RuntimeDeps;
  readonly #shims = new Map<string, Shim>();
  readonly #creating = new Set<string>();
  readonly #logs = new LogPipes();
  #closing = false;

  constructor(deps: RuntimeDeps) {
    this.#deps = deps;
  }

  /**
   * Starts a shim and makes the sandbox in it.
   * @throws AlreadyExists, InvalidArgument for the id, and what the shim says
   */
  async create(namespace: string, id: string, options: SandboxOptions): Promise<void> {
    const key = `${namespace}/${id}`;
    if (this.#shims.has(key) || this.#creating.has(key))
      throw new AlreadyExists(`sandbox ${id} already running: already exists`);
    validateIdentifier(id, `invalid task id ${id}: `);
    this.#creating.add(key);
    try {
      await this.#create(namespace, id, options);
    } finally {
      this.#creating.delete(key);
    }
  }

  async #create(
    namespace: string,
    id: string,
    { runtime, runtimeOptions, spec, rootfs, options, netnsPath, annotations }: SandboxOptions,
  ): Promise<void> {
    const { config } = this.#deps;
    const failed = `failed to start new shim for sandbox ${id}`;
    const binary = await this.#resolve(runtime).catch((error: unknown) => {
      throw wrap(`${failed}: failed to resolve runtime path`, error);
    });
    const bundle = await Bundle.create(config.root, config.state, namespace, id, spec, sandboxDir);
    let shim: Shim;
    try {
      await bundle.write("shim-binary-path", binary);
      this.#logs.open(bundle);
      shim = await Shim.start(bundle, binary, runtimeOptions, config);
    } catch (error) {
      await this.#abandon(bundle, binary);
      throw wrap(`${failed}: start failed`, error);
    }
    this.#adopt(shim);
    try {
      await shim.sandbox.createSandbox({
        sandboxId: id,
        bundlePath: bundle.path,
        rootfs,
        netnsPath,
        annotations,
        ...(options && { options }),
      });
    } catch (error) {
      await this.#end(shim);
      throw wrap(`failed to create sandbox ${id}`, error);
    }
  }

  /** @throws Unknown when there is none, and what the shim says; the sandbox is then gone */
  async start(namespace: string, id: string): Promise<StartSandboxResponse> {
    const shim = this.#shims.get(`${namespace}/${id}`);
    if (shim === undefined) throw new Unknown(`unable to find sandbox "${id}"`);
    try {
      return await ask(shim.sandbox.startSandbox({ sandboxId: id }));
    } catch (error) {
      await this.#end(shim);
      throw wrap(`failed to start sandbox ${id}`, error);
    }
  }

  /** Ends what runs in the sandbox. One that is gone has stopped. */
  async stop(namespace: string, id: string, timeoutSecs: number): Promise<void> {
    const shim = this.#shims.get(`${namespace}/${id}`);
    if (shim === undefined) return;
    try {
      await shim.sandbox.stopSandbox({ sandboxId: id, timeoutSecs });
    } catch (error) {
      if (!isKind(error, "NotFound") && !isKind(error, "Unavailable")) throw wrap("failed to stop sandbox", error);
    }
  }

  /** @throws NotFound */
  async wait(namespace: string, id: string, signal: AbortSignal): Promise<WaitSandboxResponse> {
    return this.#ask(namespace, id, `failed to wait sandbox ${id}`, (sandbox) =>
      sandbox.waitSandbox({ sandboxId: id }, { signal }),
    );
  }

  /** Undefined when there is no such sandbox. */
  async status(namespace: string, id: string, verbose: boolean): Promise<SandboxStatusResponse | undefined> {
    if (!this.#shims.has(`${namespace}/${id}`)) return undefined;
    return this.#ask(namespace, id, `failed to query sandbox ${id} status`, (sandbox) =>
      sandbox.sandboxStatus({ sandboxId: id, verbose }),
    );
  }

  /** @throws NotFound */
  async metrics(namespace: string, id: string): Promise<SandboxMetricsResponse> {
    return ask(this.#get(namespace, id).sandbox.sandboxMetrics({ sandboxId: id }));
  }

  /** Ends the shim and removes its bundle. @throws NotFound */
  async shutdown(namespace: string, id: string): Promise<void> {
    const shim = this.#get(namespace, id);
    await ask(shim.sandbox.shutdownSandbox({ sandboxId: id })).catch((error: unknown) => {
      throw wrap("failed to shutdown sandbox", error);
    });
    await this.#remove(shim);
  }

  /** Where the tasks of a sandbox are served. @throws NotFound */
  endpoint(namespace: string, id: string): SandboxEndpoint {
    const shim = this.#shims.get(`${namespace}/${id}`);
    if (shim === undefined) throw new NotFound(`failed to start shim: can't find shim for sandbox ${id}: not found`);
    return { id, bootstrap: shim.bootstrap, binary: shim.binary };
  }

  /**
   * Takes up the sandboxes of a former containerd; comes before their tasks.
   * @param known whether a sandbox has a record
   */
  async load(known: (namespace: string, id: string) => Promise<boolean>): Promise<void> {
    const { config, log } = this.#deps;
    for (const base of [config.root, config.state])
      await mkdir(join(base, sandboxDir), { recursive: true, mode: 0o700 });
    const { bundles, rests } = await listBundles(config.state, sandboxDir);
    for (const rest of rests) {
      unmountBelow(rest);
      await removeTree(rest);
    }
    const load = (bundle: Bundle): Promise<void> =>
      this.#load(bundle, known).catch((error: unknown) =>
        log.error({ bundle: bundle.path, error: messageOf(error) }, "failed to load the shim of a sandbox"),
      );
    await Promise.all(bundles.map(load));
    for (const work of await orphanedWork(
      config.root,
      (namespace, id) => this.#shims.has(`${namespace}/${id}`),
      sandboxDir,
    )) {
      await removeTree(work);
    }
  }

  async #load(bundle: Bundle, known: (namespace: string, id: string) => Promise<boolean>): Promise<void> {
    const { config, events, log } = this.#deps;
    const { namespace, id } = bundle;
    const binary = await bundle.read("shim-binary-path");
    if (binary === undefined) return bundle.delete(); // no shim was started yet
    this.#logs.open(bundle);
    const connecting = async (): Promise<Shim> =>
      (await Shim.load(bundle, binary)) ?? Shim.start(bundle, binary, undefined, config);
    const shim = await connecting().catch(
      (error: unknown) =>
        void log.warn({ id, namespace, error: messageOf(error) }, "failed to connect to the shim of a sandbox"),
    );
    if (shim === undefined) {
      publishDeadShim(bundle, await this.#abandon(bundle, binary), events);
      return;
    }
    this.#adopt(shim);
    if (await known(namespace, id)) return;
    // Without a record it is kept if the shim has it; else its creation was interrupted.
    const missing = await shim.sandbox.sandboxStatus({ sandboxId: id }, { timeoutMs: shimTimeoutMs }).then(
      () => false,
      (error: unknown) => isKind(error, "NotFound") || isKind(error, "NotImplemented"),
    );
    if (missing) await this.#end(shim);
  }

  /** Lets all shims go; they and their sandboxes run on. */
  close(): void {
    this.#closing = true;
    for (const shim of this.#shims.values()) shim.close();
    this.#logs.closeAll();
  }

  async #resolve(runtime: string): Promise<string> {
    if (runtime === "") throw new Unknown("no runtime name");
    return resolveShim(runtime, this.#deps.config.shimDirs);
  }

  #get(namespace: string, id: string): Shim {
    const shim = this.#shims.get(`${namespace}/${id}`);
    if (shim === undefined) throw new NotFound("not found");
    return shim;
  }

  async #ask<T>(namespace: string, id: string, what: string, call: (sandbox: SandboxClient) => Promise<T>): Promise<T> {
    const shim = this.#get(namespace, id);
    return ask(call(shim.sandbox)).catch((error: unknown) => {
      throw wrap(what, error);
    });
  }

  #adopt(shim: Shim): void {
    this.#shims.set(`${shim.namespace}/${shim.id}`, shim);
    void this.#watch(shim);
  }

  /** A shim that dies is cleaned up after, and its end announced as that of a task. */
  async #watch(shim: Shim): Promise<void> {
    await shim.closed;
    if (this.#closing || !this.#forget(shim)) return;
    this.#deps.log.info({ id: shim.id, namespace: shim.namespace }, "shim disconnected");
    publishDeadShim(shim.bundle, await this.#abandon(shim.bundle, shim.binary), this.#deps.events);
  }

  #abandon(bundle: Bundle, binary: string): ReturnType<typeof cleanUp> {
    this.#logs.close(bundle);
    return cleanUp(bundle, binary, this.#deps.config, this.#deps.log);
  }

  /** Ends a shim whose sandbox was not made or did not start. */
  async #end(shim: Shim): Promise<void> {
    const failed = (error: unknown): void =>
      this.#deps.log.debug({ id: shim.id, error: messageOf(error) }, "failed to shut down sandbox");
    await shim.sandbox.shutdownSandbox({ sandboxId: shim.id }, { timeoutMs: shimTimeoutMs }).catch(failed);
    // A shim that has no sandboxes ends so.
    await shim.shutdown(shimTimeoutMs).catch(failed);
    await this.#remove(shim);
  }

  /** The shim was asked to end: waits for it, and removes its bundle. */
  async #remove(shim: Shim): Promise<void> {
    this.#forget(shim);
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([shim.closed, new Promise((resolve) => (timer = setTimeout(resolve, shimTimeoutMs)))]);
    clearTimeout(timer);
    shim.close();
    this.#logs.close(shim.bundle);
    await shim.bundle.delete();
  }

  #forget(shim: Shim): boolean {
    const key = `${shim.namespace}/${shim.id}`;
    return this.#shims.get(key) === shim && this.#shims.delete(key);
  }
}

/** For a shim that is gone, the error is containerd's. */
async function ask<T>(call: Promise<T>): Promise<T> {
  return call.catch((error: unknown) => {
    throw isConnectionLost(error) ? new Unknown("ttrpc: closed", { cause: error }) : error;
  });
}
