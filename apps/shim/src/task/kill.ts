import { NotFound, Unknown } from "@longshore/errdefs";
import { Status } from "@longshore/proto/containerd/v1/types/task";
import type { Container } from "./container.ts";
import type { Process } from "./process.ts";
import { RuntimeError } from "../runc/runc.ts";

/**
 * Signals a process, or all of the container with `all`. The runtime is asked where more than the
 * signal itself is needed: for the whole cgroup, and for a frozen one that must be thawed to die.
 */
export async function killProcess(container: Container, process: Process, signal: number, all: boolean): Promise<void> {
  const isInit = process === container.init;
  if (!isInit || (!all && process.status !== Status.PAUSED && process.status !== Status.PAUSING))
    return process.signal(signal);
  try {
    await container.runc.run("OCI runtime kill failed", [
      "kill",
      ...(all ? ["--all"] : []),
      container.id,
      String(signal),
    ]);
  } catch (error) {
    throw translate(error);
  }
}

/** containerd and Docker tell "it is gone already" from failures by the code alone. */
function translate(error: unknown): unknown {
  if (!(error instanceof RuntimeError)) return error;
  if (/process already finished|container not running|no such process/i.test(error.detail))
    return new NotFound("process already finished: not found", { cause: error });
  if (/does not exist/.test(error.detail)) return new NotFound("no such container: not found", { cause: error });
  return new Unknown(`unknown error after kill: ${error.detail}`, { cause: error });
}
