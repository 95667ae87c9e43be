import { NotModified } from "@longshore/errdefs";
import type { Container } from "../../model/container.ts";
import { type Context, emitContainer } from "../../model/context.ts";
import { prefixed, sendSignal, stopSignalOf } from "./kill.ts";
import { startContainer, starting } from "../start/start.ts";
import { parseSignal } from "@longshore/go-values";
import { SIGKILL } from "./signal.ts";

const defaultTimeout = 10;

export interface StopOptions {
  /** Empty: the container's own. */
  signal: string;
  /** Seconds until SIGKILL, negative for never; `undefined`: the container's own, or 10. */
  timeout: number | undefined;
}

/** Waits for the exit for so many seconds; tells whether it came. */
async function exited(gone: Promise<unknown>, seconds: number): Promise<boolean> {
  if (seconds < 0) return gone.then(() => true);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => (timer = setTimeout(resolve, seconds * 1000, false)));
  try {
    return await Promise.race([gone.then(() => true as const), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Ends the container's process: its stop signal, some time to obey, SIGKILL. */
async function endProcess(context: Context, container: Container, options: StopOptions): Promise<void> {
  const gone = container.wait("not-running");
  const signal = options.signal === "" ? stopSignalOf(container) : parseSignal(options.signal);
  container.exitOnNext = true;
  await sendSignal(context, container, signal).catch((error: unknown) => {
    if (container.record.State.Running) throw error;
  });
  container.exitOnNext = true;
  if (await exited(gone, options.timeout ?? container.record.Config.StopTimeout ?? defaultTimeout)) return;
  await sendSignal(context, container, SIGKILL).catch((error: unknown) => {
    if (container.record.State.Running) throw error;
  });
  await gone;
}

/** @throws NotModified when it does not run */
export async function stopContainer(context: Context, container: Container, options: StopOptions): Promise<void> {
  if (!container.record.State.Running) throw new NotModified(`container ${container.id} is already stopped`);
  await endProcess(context, container, options);
  emitContainer(context, container, "stop");
}

/** Stops the container if it runs and starts it again; `--rm` does not count in between. */
export async function restartContainer(
  context: Context,
  container: Container,
  options: StopOptions,
  shownName = container.name,
): Promise<void> {
  try {
    await starting(context, container, () => stopAndStart(context, container, options));
  } catch (error) {
    throw prefixed(`Cannot restart container ${shownName}: `, error);
  }
  emitContainer(context, container, "restart");
}

async function stopAndStart(context: Context, container: Container, options: StopOptions): Promise<void> {
  if (container.record.State.Running) {
    await endProcess(context, container, options);
    emitContainer(context, container, "stop");
  }
  await startContainer(context, container);
}
