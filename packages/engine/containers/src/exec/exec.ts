import type { ExecInspectResponse } from "./exec-inspect.ts";
import { setTimeout } from "node:timers/promises";
import { Conflict, InvalidArgument, isKind, messageOf, NotFound, Unknown } from "@longshore/errdefs";
import { type Attachment } from "../attach/attach-sessions.ts";
import type { Container } from "../model/container.ts";
import { type Context, emitContainer } from "../model/context.ts";
import { Exec, type ExecConfig } from "./exec-record.ts";
import { whileAlive } from "../lifecycle/end/has-ended.ts";
import { linkEnvironment } from "../networking/links.ts";
import { execUser } from "../config/root-user.ts";
import { execProcess } from "../config/runtime-spec.ts";
import { explainStartError } from "../lifecycle/start/start-error.ts";
import { SIGKILL } from "../lifecycle/stop/signal.ts";
import { attachSocket, execStdio } from "../attach/stdio.ts";
import { attempt, jsonAny, processType } from "../lifecycle/task.ts";

/** How long the record of an ended exec can still be inspected. */
const keepMs = 5 * 60_000;

/**
 * @param reference how the client calls the container
 * @throws Conflict with Docker's messages unless a process can be added to the container now
 */
function checkRunning(container: Container, reference = container.id): void {
  const { State } = container.record;
  if (!State.Running) throw new Conflict(`container ${container.id} is not running`);
  if (State.Paused) throw new Conflict(`Container ${reference} is paused, unpause the container before exec`);
  if (State.Restarting)
    throw new Conflict(`Container ${container.id} is restarting, wait until the container is running`);
}

/** @param reference how the client calls the container. @returns the exec's id. @throws InvalidArgument, Conflict, Unknown for a user that the container does not know */
export async function createExec(
  context: Context,
  container: Container,
  config: ExecConfig,
  reference = container.id,
): Promise<string> {
  checkRunning(container, reference);
  const user = await whileAlive(context, container, () => execUser(context, container, config.user));
  const linkEnv = linkEnvironment(context, container);
  forgetEnded(container);
  const exec = new Exec(container, config, { user, linkEnv });
  container.execs.set(exec.id, exec);
  emitContainer(context, container, `exec_create: ${wordsOf(config)}`, { execID: exec.id });
  return exec.id;
}

/** A command in Docker's events: its name, a space, what there is of arguments. */
function wordsOf({ cmd: [name = "", ...args] }: ExecConfig): string {
  return `${name} ${args.join(" ")}`;
}

function forgetEnded(container: Container): void {
  for (const [id, exec] of container.execs) if (isOver(exec)) container.execs.delete(id);
}

/** @throws NotFound `No such exec instance: x` */
export function findExec(context: Context, id: string): Exec {
  for (const container of context.store.list()) {
    const exec = container.execs.get(id);
    if (exec !== undefined) return exec;
  }
  throw new NotFound(`No such exec instance: ${id}`);
}

/** @throws Conflict when nothing can be started in its container now */
export function checkExecContainer(exec: Exec): void {
  checkRunning(exec.container);
}

/** @throws Conflict for a second start */
function checkNotStarted(exec: Exec): void {
  if (exec.endedAt !== undefined) throw new Conflict(`exec command ${exec.id} has already run`);
  if (exec.started) throw new Conflict(`exec command ${exec.id} is already running`);
}

/**
 * Starts an exec and joins `attachment`, if any, to it before its first byte of output.
 * @throws the runtime's error as a start of a container would; the exec has then ended with 126 or 127
 */
export async function startExec(context: Context, exec: Exec, attachment: Attachment | undefined): Promise<void> {
  checkExecContainer(exec);
  checkNotStarted(exec);
  exec.started = true;
  const { container, config } = exec;
  const { tasks } = context.containerd;
  emitContainer(context, container, `exec_start: ${wordsOf(config)}`, { execID: exec.id });
  try {
    const process = await execProcess(context, exec);
    const stdio = execStdio(context, container.id, { stdin: config.attachStdin, terminal: config.tty });
    await tasks.exec({
      containerId: container.id,
      execId: exec.id,
      ...stdio,
      terminal: config.tty,
      spec: jsonAny(processType, process),
    });
    await attachment?.join(attachSocket(context, container.id), exec.id);
    exec.running = true;
    const { pid } = await tasks.start({ containerId: container.id, execId: exec.id });
    exec.begin(pid);
    attachment?.flow();
  } catch (error) {
    const { exitCode, error: explained } = explainStartError(error);
    // What the runtime refuses ends with 128, what never came so far with 126, as with Docker.
    exec.finish(exitCode === 128 && !exec.running ? 126 : exitCode);
    await attempt(context, "removing an exec that did not start", () => endExec(context, exec));
    await whileAlive(context, container, () => Promise.reject(explained));
  }
}

async function deleteExec(context: Context, exec: Exec): Promise<void> {
  await context.containerd.tasks
    .deleteProcess({ containerId: exec.container.id, execId: exec.id })
    .catch((error: unknown) => {
      if (!isKind(error, "NotFound")) throw error;
    });
}

/** Removes what there is of an exec that counts as ended, though its process may run: the answer to its start may have been lost. */
async function endExec(context: Context, exec: Exec): Promise<void> {
  const { tasks } = context.containerd;
  const process = { containerId: exec.container.id, execId: exec.id };
  try {
    await deleteExec(context, exec);
  } catch (error) {
    context.log.debug({ err: error, exec: exec.id }, "ending an exec whose start failed");
    await tasks.kill({ ...process, signal: SIGKILL });
    await tasks.wait(process, { timeoutMs: 10_000 });
    await deleteExec(context, exec);
  }
}

/** Notes the end of an exec; one end counts once, however often it is reported. */
export async function handleExecExit(context: Context, exec: Exec, exitCode: number): Promise<void> {
  if (!exec.finish(exitCode)) return;
  emitContainer(context, exec.container, "exec_die", { execID: exec.id, exitCode: String(exitCode) });
  await attempt(context, "removing an ended exec", () => deleteExec(context, exec));
}

/** A container that ended has taken all its execs with it; those that never ran are forgotten. */
export function endExecs(container: Container): void {
  for (const [id, exec] of container.execs) {
    if (exec.started) exec.finish(137);
    else container.execs.delete(id);
  }
}

/** How long a resize waits for the start that it belongs to. */
const readyTimeoutMs = 10_000;

/** @throws Conflict, Unknown, InvalidArgument, NotFound with Docker's messages unless it runs, or does so soon */
export async function resizeExec(context: Context, exec: Exec, height: number, width: number): Promise<void> {
  checkExecContainer(exec);
  const late = new AbortController();
  const timeout = setTimeout(readyTimeoutMs, "late", { signal: late.signal }).catch(() => undefined);
  const first = await Promise.race([exec.ready, timeout]);
  late.abort();
  if (first === "late") throw new Unknown("timeout waiting for exec session ready");
  if (exec.pid === 0) throw new InvalidArgument("exec process is not started");
  if (!exec.running) throw new NotFound(`NotFound: process does not exist ${exec.id}: not found`);
  // A process without a terminal has no size, and nobody minds.
  if (!exec.config.tty) return;
  try {
    await context.containerd.tasks.resizePty({ containerId: exec.container.id, execId: exec.id, height, width });
  } catch (error) {
    throw new InvalidArgument(`cannot resize exec ${exec.id}: ${messageOf(error)}`, { cause: error });
  }
}

/** Whether it ended so long ago that the next exec takes its place. */
function isOver({ endedAt }: Exec): boolean {
  return endedAt !== undefined && Date.now() - endedAt > keepMs;
}

export function inspectExec(exec: Exec): ExecInspectResponse {
  const { config, container } = exec;
  return {
    ID: exec.id,
    Running: exec.running,
    ExitCode: exec.exitCode,
    ProcessConfig: {
      tty: config.tty,
      entrypoint: config.cmd[0] ?? "",
      arguments: config.cmd.slice(1),
      privileged: config.privileged,
      ...(config.user === "" ? {} : { user: config.user }),
    },
    OpenStdin: config.attachStdin,
    OpenStderr: config.attachStderr,
    OpenStdout: config.attachStdout,
    // Who looks after its end still finds it for a while.
    CanRemove: isOver(exec),
    ContainerID: container.id,
    DetachKeys: config.detachKeys === "" ? "" : Buffer.from(config.detachKeys).toString("base64"),
    Pid: exec.pid,
  };
}
