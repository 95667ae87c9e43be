import { rmSync } from "node:fs";
import { Sandbox } from "@longshore/proto/containerd/runtime/sandbox/v1/sandbox";
import { Task } from "@longshore/proto/containerd/task/v3/task";
import { Server } from "@longshore/ttrpc";
import { publishDelivery, ttrpcDelivery } from "../events/event-delivery.ts";
import { Publisher } from "../events/events.ts";
import type { Flags } from "../bootstrap/flags.ts";
import { tidyWhenIdle } from "./idle.ts";
import { log, logToBundle } from "../log.ts";
import { SandboxService } from "./sandbox-service.ts";
import { Shim } from "../shim.ts";
import { TaskService } from "./task-service.ts";
import { traceAsAsked } from "../tracing.ts";
import { shutdownUnlessCalled } from "./uncalled.ts";

/** How long events that containerd did not take yet may hold the shim's end back, in ms. */
const eventPatience = 2000;

/** How long a server waits to be asked for the first time, in ms: containerd does so within milliseconds. */
const calledWithinMs = 60_000;

/** The older name of the task service; containerd 2.x falls back to it. */
const taskV2 = "containerd.task.v2.Task";

/** Where a server serves, and whom it tells of events. */
export interface ServerSocket {
  /** Listens already. */
  fd: number;
  /** Removed at the end. */
  path: string | undefined;
  ttrpcAddress: string | undefined;
}

/** The listening socket that `start` hands over. */
export function inherited(): ServerSocket {
  return { fd: 3, path: process.env["LONGSHORE_SHIM_SOCKET"], ttrpcAddress: process.env["TTRPC_ADDRESS"] };
}

/** Serves the task API until Shutdown or a signal. cwd is the bundle. */
export async function serve(flags: Flags, { fd, path: socketPath, ttrpcAddress }: ServerSocket): Promise<void> {
  logToBundle(process.cwd());
  const flushTraces = traceAsAsked();
  const shim = new Shim();
  const delivery = ttrpcAddress
    ? ttrpcDelivery(ttrpcAddress, flags.namespace)
    : publishDelivery(shim.children, flags.publishBinary, flags.address, flags.namespace);
  const events = new Publisher(delivery);
  const server = new Server();
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    await new Promise((resolve) => setImmediate(resolve)); // let the answer to Shutdown out
    await events.close(eventPatience);
    if (socketPath !== undefined) rmSync(socketPath, { force: true });
    await server.close();
    await flushTraces();
    process.exit(0);
  };
  const tasks = new TaskService(shim, flags.namespace, events, () => {
    if (!sandboxes.exists) void stop();
  });
  const sandboxes = new SandboxService(tasks, () => void stop());
  const known = shutdownUnlessCalled(calledWithinMs, () => void stop());
  const handlers = known(tidyWhenIdle(tasks.handlers));
  server.add(Task, handlers).add(Task, handlers, taskV2).add(Sandbox, known(sandboxes.handlers));
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void stop());
  // containers live on what this process does: a surprise is reported, never the end
  process.on("uncaughtException", (error) => log("error", "unexpected error", error));
  process.on("unhandledRejection", (error) => log("error", "unexpected rejection", error));
  await server.listen({ fd });
}
