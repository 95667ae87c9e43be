import { rmSync } from "node:fs";
import { Task as TaskV2 } from "@longshore/proto/containerd/task/v2/task";
import { Task as TaskV3 } from "@longshore/proto/containerd/task/v3/task";
import { Server, type ServiceHandlers } from "@longshore/ttrpc";
import { publishDelivery, ttrpcDelivery } from "./event-delivery.ts";
import { Publisher } from "./events.ts";
import type { Flags } from "./flags.ts";
import { log, logToBundle } from "./log.ts";
import { Shim } from "./shim.ts";
import { TaskService } from "./task-service.ts";

/** How long events that containerd did not take yet may hold the shim's end back, in ms. */
const eventPatience = 2000;

/** The listening socket that `start` hands over. */
const socketFd = 3;

/** Serves the task API on the inherited socket until Shutdown or a signal. cwd is the bundle. */
export async function serve(flags: Flags): Promise<void> {
  logToBundle(process.cwd());
  const socketPath = process.env["LONGSHORE_SHIM_SOCKET"];
  const ttrpcAddress = process.env["TTRPC_ADDRESS"];
  const shim = new Shim();
  const delivery = ttrpcAddress ? ttrpcDelivery(ttrpcAddress, flags.namespace) : publishDelivery(shim.children, flags.publishBinary, flags.address, flags.namespace);
  const events = new Publisher(delivery);
  const server = new Server();
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    await new Promise((resolve) => setImmediate(resolve)); // let the answer to Shutdown out
    await Promise.race([events.close(), new Promise((resolve) => setTimeout(resolve, eventPatience))]);
    if (socketPath !== undefined) rmSync(socketPath, { force: true });
    await server.close();
    process.exit(0);
  };
  const { handlers } = new TaskService(shim, flags.namespace, events, () => void stop());
  server.add(TaskV3, handlers).add(TaskV2, handlers as unknown as ServiceHandlers<typeof TaskV2>);
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void stop());
  // containers live on what this process does: a surprise is reported, never the end
  process.on("uncaughtException", (error) => log("error", "unexpected error", error));
  process.on("unhandledRejection", (error) => log("error", "unexpected rejection", error));
  await server.listen({ fd: socketFd });
}
