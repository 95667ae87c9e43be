import { rm } from "node:fs/promises";
import { connect } from "node:net";
import { fromBinary } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { messageOf } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";
import { TaskDeleteSchema, TaskExitSchema } from "@longshore/proto/containerd/events/events";
import { DeleteResponseSchema } from "@longshore/proto/containerd/task/v2/task";
import { bootstrapFile, decodeStored } from "./bootstrap.ts";
import type { Bundle } from "../bundle.ts";
import { runShim } from "./command.ts";
import type { EventPublisher, Exit, RuntimeConfig } from "../contract.ts";

/** containerd's limit for cleaning up after a shim. */
export const cleanupTimeoutMs = 5000;
/** The status of a task of which nothing more is known. */
const unknownStatus = 255;

/**
 * Runs the shim's `delete`, which kills what is left of the container and undoes its mounts, and
 * removes the bundle. Never throws: what fails is logged and the exit is then the unknown one.
 */
export async function cleanUp(
  bundle: Bundle,
  binary: string | undefined,
  config: RuntimeConfig,
  log: Logger,
): Promise<Exit> {
  const exit = binary === undefined ? undefined : await deleteAction(bundle, binary, config, log);
  try {
    await removeDeadSocket(bundle);
    await bundle.delete();
  } catch (error) {
    log.error({ id: bundle.id, error: messageOf(error) }, "failed to remove bundle");
  }
  return exit ?? { pid: 0, status: unknownStatus, exitedAt: timestampNow() };
}

/** A shim that was killed leaves its socket behind; one that still serves other tasks keeps it. */
async function removeDeadSocket(bundle: Bundle): Promise<void> {
  const stored = await bundle.read(bootstrapFile);
  // A power cut may leave it empty.
  if (stored === undefined || stored === "") return;
  const { address } = decodeStored(stored);
  if (!address.startsWith("unix:///")) return;
  const path = address.slice("unix://".length);
  const refused = await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => resolve(false));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED"));
    socket.once("connect", () => socket.destroy());
  });
  if (refused) await rm(path, { force: true });
}

async function deleteAction(
  bundle: Bundle,
  binary: string,
  config: RuntimeConfig,
  log: Logger,
): Promise<Exit | undefined> {
  try {
    const { stdout, stderr } = await runShim({ binary, bundle, action: "delete", timeoutMs: cleanupTimeoutMs }, config);
    if (stderr !== "") log.warn({ id: bundle.id, stderr }, "cleanup warnings");
    const { pid, exitStatus, exitedAt } = fromBinary(DeleteResponseSchema, stdout);
    return { pid, status: exitStatus, exitedAt: exitedAt ?? timestampNow() };
  } catch (error) {
    log.warn({ id: bundle.id, error: messageOf(error) }, "failed to clean up after shim disconnected");
    return undefined;
  }
}

/** Announces an end that the shim itself can no longer announce. */
export function publishDeadShim(bundle: Bundle, exit: Exit, events: EventPublisher): void {
  publishExit(bundle, exit, events);
  publishDelete(bundle, exit, events);
}

export function publishExit(
  { namespace, id }: Bundle,
  { pid, status: exitStatus, exitedAt }: Exit,
  events: EventPublisher,
): void {
  events.publish(namespace, "/tasks/exit", TaskExitSchema, { containerId: id, id, pid, exitStatus, exitedAt });
}

export function publishDelete(
  { namespace, id }: Bundle,
  { pid, status: exitStatus, exitedAt }: Exit,
  events: EventPublisher,
): void {
  events.publish(namespace, "/tasks/delete", TaskDeleteSchema, { containerId: id, pid, exitStatus, exitedAt });
}
