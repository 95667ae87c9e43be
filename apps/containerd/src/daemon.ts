import { chown, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { InvalidArgument, isKind, messageOf } from "@longshore/errdefs";
import { serve } from "@longshore/grpc";
import type { Logger } from "@longshore/logger";
import type { Metadata } from "@longshore/metadata";
import { type RuntimeDeps, SandboxManager, TaskManager, loadTasks } from "@longshore/runtime";
import { takeServiceManager } from "@longshore/sys";
import type { Config } from "./config.ts";
import { serveEvents } from "./events-server.ts";
import { lockDirectory } from "./lock.ts";
import { apiVersion } from "./release.ts";
import { services } from "./services.ts";
import { openStores } from "./stores.ts";

/** How long calls that are under way may take to finish at the end. */
const graceMs = 5000;

/** The directory of this program's parts that other programs start. */
const appDir = resolve(import.meta.dirname, "..");
const containerdBinary = resolve(appDir, "../../bin/containerd");
/** Where the shim's build puts it; $PATH comes after. */
const shimDirs = [resolve(appDir, "../shim/build"), dirname(containerdBinary)];

export interface Daemon {
  /** Finishes calls that are under way, closes the stores, lets the shims go. */
  stop(): Promise<void>;
}

/**
 * Starts containerd.
 * @throws InvalidArgument for paths that are not absolute, FailedPrecondition when another daemon has the directories
 */
export async function startDaemon(config: Config, logger: Logger): Promise<Daemon> {
  const { root, state, grpc } = config;
  const notify = takeServiceManager((error) => logger.warn({ error: messageOf(error) }, "systemd was not told"));
  for (const [name, path] of Object.entries({ root, state, "GRPC address": grpc.address })) {
    if (!isAbsolute(path)) throw new InvalidArgument(`${name} must be an absolute path: ${path}`);
  }
  if (root === state) throw new InvalidArgument("root and state must be different paths: invalid argument");
  const ttrpcAddress = config.ttrpc.address || `${grpc.address}.ttrpc`;
  await mkdir(root, { recursive: true, mode: 0o700 });
  await mkdir(state, { recursive: true, mode: 0o711 });
  await mkdir(dirname(grpc.address), { recursive: true, mode: 0o711 });
  const unlocks = [lockDirectory(root), lockDirectory(state)];
  if (config.oom_score !== 0) await writeFile("/proc/self/oom_score_adj", String(config.oom_score));

  const stores = await openStores(root, logger, config.archive.max_unpacked_bytes);
  const runtime: RuntimeDeps = {
    config: {
      root,
      state,
      address: grpc.address,
      ttrpcAddress,
      containerdBinary,
      shimDirs,
      debug: logger.isLevelEnabled("debug"),
      version: apiVersion,
    },
    events: stores.exchange,
    log: logger,
  };
  const tasks = new TaskManager(runtime);
  const sandboxes = new SandboxManager(runtime);
  // Shims that waited for us deliver their events while their tasks are taken up.
  const events = await serveEvents(ttrpcAddress, config.ttrpc, stores.exchange, logger);
  await sandboxes.load(async (namespace, id) => hasSandbox(stores.metadata, namespace, id));
  await loadTasks(
    tasks,
    async (namespace, id) => (await stores.metadata.scope({ namespace }).containers.get(id)).runtime.name,
  );
  const byteSockets = join(state, "streams");
  // Sockets of a killed daemon: their streams ended with it.
  await rm(byteSockets, { recursive: true, force: true });
  await mkdir(byteSockets, { mode: 0o700 });
  const server = await serve(
    services({
      root,
      byteSockets,
      unpackLimit: config.archive.max_unpacked_bytes,
      ...stores,
      tasks,
      sandboxes,
      logger,
    }),
    { path: grpc.address, mode: 0o660 },
  );
  await chown(grpc.address, grpc.uid, grpc.gid);
  notify("READY=1");
  logger.info({ address: grpc.address, root, state }, "containerd is up");

  return {
    async stop() {
      notify("STOPPING=1");
      await server.close(graceMs);
      await tasks.settled();
      tasks.close();
      sandboxes.close();
      await events.close();
      await stores.close();
      for (const path of [grpc.address, ttrpcAddress]) await rm(path, { force: true });
      for (const unlock of unlocks) unlock();
    },
  };
}

async function hasSandbox(metadata: Metadata, namespace: string, id: string): Promise<boolean> {
  try {
    await metadata.scope({ namespace }).sandboxes.get(id);
    return true;
  } catch (error) {
    if (isKind(error, "NotFound")) return false;
    throw error;
  }
}
