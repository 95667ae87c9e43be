import { isKind, messageOf } from "@longshore/errdefs";
import { marshalRuntime } from "@longshore/oci";
import type { Context } from "../model/context.ts";

/** containerd's type URLs for OCI JSON documents. */
export const specType = "types.containerd.io/opencontainers/runtime-spec/1/Spec";
export const processType = "types.containerd.io/opencontainers/runtime-spec/1/Process";
export const resourcesType = "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources";

/** A JSON document as containerd's Any. */
export function jsonAny(typeUrl: string, document: object): { typeUrl: string; value: Uint8Array } {
  return { typeUrl, value: marshalRuntime(document) };
}

/** Ends and removes whatever task the container has; none is no error. */
export async function deleteTask(context: Context, id: string): Promise<void> {
  const { tasks } = context.containerd;
  try {
    await tasks.delete({ containerId: id });
  } catch (error) {
    if (isKind(error, "NotFound")) return;
    // It still runs: a start that was cut short, or an exit that was never seen.
    await tasks.kill({ containerId: id, signal: 9, all: true }).catch((cause: unknown) => {
      if (!isKind(cause, "NotFound")) context.log.debug({ err: cause, container: id }, "killing a leftover task");
    });
    await tasks.wait({ containerId: id }, { timeoutMs: 10_000 }).catch((cause: unknown) => {
      if (!isKind(cause, "NotFound")) throw cause;
    });
    await tasks.delete({ containerId: id }).catch((cause: unknown) => {
      if (!isKind(cause, "NotFound")) throw cause;
    });
  }
}

/** Tries to undo something on the way out of a failure; what fails is logged, not thrown. */
export async function attempt(context: Context, what: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    context.log.warn({ err: error }, `${what}: ${messageOf(error)}`);
  }
}
