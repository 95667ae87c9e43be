import { isKind, messageOf, NotModified, Conflict, type LongshoreError, Unknown } from "@longshore/errdefs";
import { type MountSpec, removeTree } from "@longshore/sys";
import { currentSpan, span, untraced } from "@longshore/telemetry";
import { clearLogPath } from "../../logging/log-damage.ts";
import { attachSocket, type Stdio, taskStdio } from "../../attach/stdio.ts";
import type { Container } from "../../model/container.ts";
import { type Context, emitContainer } from "../../model/context.ts";
import { healthAtStart, startHealth } from "../../health/health.ts";
import { allocateNetwork, releaseNetwork } from "../../networking/network-sandbox.ts";
import { tellParents } from "../../networking/links.ts";
import { removeContainer } from "../remove/remove.ts";
import { cancelRestart } from "../end/restart-policy.ts";
import { rootMounts } from "../../rootfs/rootfs.ts";
import { containerSpec, SpecFailure } from "../../config/runtime-spec.ts";
import { prepareShm, releaseShm } from "../../rootfs/shm.ts";
import { explainStartError } from "./start-error.ts";
import { runtimeOf } from "../../config/runtimes.ts";
import { attempt, deleteTask, jsonAny, specType } from "../task.ts";
import { now } from "../../model/time.ts";
import { refuseDeviceRequests } from "../../config/unserved.ts";
import { checkBindSources, prepareMounts } from "../../rootfs/volume-mounts.ts";

/**
 * Starts a container that does not run.
 * @throws NotModified when it runs already, Conflict when its state forbids it, InvalidArgument or
 * Unknown with the runtime's text when it cannot be started; then nothing is left behind.
 */
export async function startContainer(context: Context, container: Container): Promise<void> {
  await starting(context, container, () => container.lock.run(() => startLocked(context, container, false)));
}

/** Does what is to end with the container's start: meanwhile no end of it takes it away, and if none follows, the failure does. */
export async function starting(context: Context, container: Container, work: () => Promise<void>): Promise<void> {
  try {
    await container.whileStarting(work);
  } catch (error) {
    await removeFailed(context, container);
    throw error;
  }
}

/** A start that failed for good leaves no `--rm` container behind. */
async function removeFailed(context: Context, container: Container): Promise<void> {
  const { RemovalInProgress, Dead } = container.record.State;
  if (!container.goesWhenEnded || container.alive || container.removing || RemovalInProgress || Dead) return;
  await attempt(context, "removing a container that did not start", () =>
    removeContainer(context, container, { force: true, removeVolumes: true }),
  );
}

/** As `startContainer`, for callers that hold the container's lock. */
export async function startLocked(context: Context, container: Container, byPolicy: boolean): Promise<void> {
  const { record } = container;
  const { State } = record;
  if (State.Paused) throw new Conflict("cannot start a paused container, try unpause instead");
  if (State.RemovalInProgress || State.Dead)
    throw new Conflict("container is marked for removal and cannot be started");
  if (container.alive) throw new NotModified(`container ${container.id} is already running`);
  // Its removal waits for somebody, or for the lock.
  if (container.removing) throw new Conflict("container is marked for removal and cannot be started");
  if (!byPolicy) checkBindSources(container);
  cancelRestart(container);
  if (!byPolicy) {
    record.HasBeenManuallyStopped = false;
    record.RestartCount = 0;
    container.restart.delayMs = 0;
  }
  container.exitOnNext = false;
  container.trace ??= currentSpan();
  try {
    await bringUp(context, container);
  } catch (error) {
    throw await noteFailure(context, container, error);
  }
  emitContainer(context, container, "start");
  untraced(() => startHealth(context, container));
}

/** Writes down why the start failed, and answers with the error to throw. */
async function noteFailure(context: Context, container: Container, cause: unknown): Promise<LongshoreError> {
  // What is missing is no command then, but what the container was given: a subpath, a volume.
  const own128 = isKind(cause, "NotFound") || cause instanceof SpecFailure;
  const { exitCode, error } = own128 ? { exitCode: 128, error: cause as LongshoreError } : explainStartError(cause);
  for (const attachment of container.pendingAttachments) attachment.abandon();
  container.pendingAttachments.clear();
  const { State } = container.record;
  const waits = State.Running;
  Object.assign(State, { Running: false, Restarting: false, Pid: 0, Error: error.message });
  // A wrong request (a volume that is gone, a network's conflict) keeps its own kind.
  const own =
    isKind(cause, "Unknown") || isKind(cause, "Internal") || exitCode !== 128 ? error : (cause as LongshoreError);
  State.ExitCode = exitCode;
  await attempt(context, "saving a container that did not start", () => container.save());
  if (waits) container.stopped();
  return own;
}

async function bringUp(context: Context, container: Container): Promise<void> {
  const { record } = container;
  refuseDeviceRequests(container.hostConfig);
  await using undo = new AsyncDisposableStack();
  const mounts = await prepareMounts(context, container, undo);
  const rootfsKnown = rootMounts(context, container.id);
  // Should the network fail, nobody asks for it.
  rootfsKnown.catch(() => undefined);
  undo.defer(async () => attempt(context, "releasing a network", () => releaseNetwork(context, container)));
  const network = await span("network allocate", () => allocateNetwork(context, container));
  const shmPath = await prepareShm(context, container);
  undo.defer(async () => releaseShm(container));
  const rootfs = await rootfsKnown;
  const spec = await containerSpec(context, container, { rootfs, mounts, network, shmPath });
  await context.containerd.containers.update({
    container: { id: container.id, spec: jsonAny(specType, spec) },
    updateMask: { paths: ["spec"] },
  });
  container.spec = spec;
  record.AppArmorProfile = spec.process?.apparmorProfile ?? record.AppArmorProfile;
  container.mayHaveTask = true;
  undo.defer(async () => attempt(context, "removing a task", () => deleteTask(context, container.id)));
  undo.defer(() => context.logFeeds.notStarted(container));
  // Before anything can be printed: clients ask for the logs since then.
  const startedAt = now();
  await span("task create", () => createTask(context, container, rootfs));
  for (const attachment of container.pendingAttachments)
    await span("attach", () => attachment.join(attachSocket(context, container.id), ""));
  const { pid } = await span("task start", () => context.containerd.tasks.start({ containerId: container.id }));
  for (const attachment of container.pendingAttachments) attachment.flow();
  container.pendingAttachments.clear();
  const { State } = record;
  Object.assign(State, {
    Running: true,
    Restarting: false,
    Paused: false,
    OOMKilled: false,
    Dead: false,
    Pid: pid,
    ExitCode: 0,
    Error: "",
    StartedAt: startedAt,
    Health: healthAtStart(container),
  });
  record.HasBeenStartedBefore = true;
  await container.save();
  undo.move();
  context.logFeeds.started(container);
  tellParents(context, container);
}

async function loggedStdio(context: Context, container: Container): Promise<Stdio> {
  try {
    const stdio = taskStdio(context, container);
    await context.logFeeds.starting(container);
    return stdio;
  } catch (error) {
    throw new Unknown(`failed to create task for container: failed to initialize logging driver: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function createTask(context: Context, container: Container, rootfs: readonly MountSpec[]): Promise<void> {
  const { shim, options } = runtimeOf(context, container.hostConfig.Runtime);
  const stdio = await loggedStdio(context, container);
  const request = {
    containerId: container.id,
    rootfs: rootfs.map(({ type, source, target, options }) => ({
      type,
      source,
      target: target ?? "",
      options: [...(options ?? [])],
    })),
    ...stdio,
    terminal: container.record.Config.Tty,
    // The name may mean another shim than it did when the container was made.
    runtimePath: shim,
    ...(options === undefined ? {} : { options }),
  };
  await Promise.all([removeTree(attachSocket(context, container.id)), clearLogPath(container, context.log)]);
  try {
    await context.containerd.tasks.create(request);
  } catch (error) {
    if (!isKind(error, "AlreadyExists"))
      throw new Unknown(`failed to create task for container: ${messageOf(error)}`, { cause: error });
    await deleteTask(context, container.id);
    await context.containerd.tasks.create(request);
  }
}
