import { isKind, messageOf } from "@longshore/errdefs";
import { removeTree } from "@longshore/sys";
import { isConnectionLost } from "@longshore/ttrpc";
import { resolveShim } from "./shim/binary.ts";
import { type Bundle, listBundles, orphanedWork, unmountBelow } from "./bundle.ts";
import { publishDeadShim } from "./shim/dead-shim.ts";
import type { TaskManager } from "./manager.ts";
import { Shim } from "./shim/shim.ts";

/** containerd's limit for a shim to answer after a restart. */
const loadTimeoutMs = 5000;
/** Dead shims cost a process each to clean up; live ones a connection. */
const parallel = 8;

/** The runtime name in a container's record, for bundles that do not say which shim they have. */
export type RuntimeLookup = (namespace: string, id: string) => Promise<string | undefined>;

/**
 * Takes up the tasks of a former containerd: reconnects to live shims, cleans up after dead ones,
 * and finishes removals that were interrupted. One broken bundle does not keep the others out.
 */
export async function loadTasks(manager: TaskManager, lookup: RuntimeLookup): Promise<void> {
  const { config, log } = manager.deps;
  await manager.prepare();
  const { bundles, rests } = await listBundles(config.state);
  for (const rest of rests) {
    unmountBelow(rest);
    await removeTree(rest);
  }
  const queue = bundles.values();
  const worker = async (): Promise<void> => {
    for (const bundle of queue) {
      await loadOne(manager, bundle, lookup).catch((error: unknown) => {
        log.error({ bundle: bundle.path, error: messageOf(error) }, "failed to load shim");
      });
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  for (const work of await orphanedWork(config.root, (namespace, id) => manager.has(namespace, id))) {
    await removeTree(work);
  }
}

async function loadOne(manager: TaskManager, bundle: Bundle, lookup: RuntimeLookup): Promise<void> {
  if (await bundle.isEmpty()) return bundle.delete();
  const { log, events } = manager.deps;
  const binary = await findBinary(manager, bundle, lookup);
  if (binary === undefined) {
    log.warn({ bundle: bundle.path }, "no shim is known for the bundle, removing it");
    await manager.abandon(bundle, undefined);
    return;
  }
  manager.logs.open(bundle);
  const shim = await reconnect(manager, bundle, binary);
  if (shim === undefined) {
    log.warn({ id: bundle.id, namespace: bundle.namespace }, "cleaning up after dead shim");
    publishDeadShim(bundle, await manager.abandon(bundle, binary), events);
    return;
  }
  if (await servesTask(manager, shim)) {
    manager.adopt(shim);
    return;
  }
  // It has no task: its containerd died before the creation, or after the deletion.
  await shim
    .shutdown(loadTimeoutMs)
    .catch((error: unknown) => log.warn({ id: bundle.id, error: messageOf(error) }, "failed to shut down shim"));
  shim.close();
  await manager.abandon(bundle, binary);
}

/** Only a shim that says so, or is gone, has no task; one that is slow may well have a running container. */
async function servesTask(manager: TaskManager, shim: Shim): Promise<boolean> {
  const { log } = manager.deps;
  const { id, namespace } = shim;
  try {
    // A shim answers this only after a Create that is under way, so that none is cut short.
    const { status, pid } = await shim.task.state({ id }, { timeoutMs: loadTimeoutMs });
    log.debug({ id, namespace, status, pid }, "shim loaded");
    return true;
  } catch (error) {
    log.warn({ id, namespace, error: messageOf(error) }, "shim does not answer for its task");
    return !isKind(error, "NotFound") && !isConnectionLost(error);
  }
}

async function findBinary(manager: TaskManager, bundle: Bundle, lookup: RuntimeLookup): Promise<string | undefined> {
  const stored = await bundle.read("shim-binary-path");
  const runtime = stored || (await lookup(bundle.namespace, bundle.id));
  if (runtime === undefined || runtime === "") return undefined;
  return resolveShim(runtime, manager.deps.config.shimDirs).catch((error: unknown) => {
    manager.deps.log.error({ id: bundle.id, error: messageOf(error) }, "failed to resolve shim");
    return undefined;
  });
}

/** Connects to the bundle's shim; one whose start was interrupted is found by starting it again. */
async function reconnect(manager: TaskManager, bundle: Bundle, binary: string): Promise<Shim | undefined> {
  try {
    return (await Shim.load(bundle, binary)) ?? (await Shim.start(bundle, binary, undefined, manager.deps.config));
  } catch (error) {
    manager.deps.log.warn({ id: bundle.id, error: messageOf(error) }, "failed to connect to shim");
    return undefined;
  }
}
