import { closeSync } from "node:fs";
import { FailedPrecondition, InvalidArgument } from "@longshore/errdefs";
import { kill, pipe } from "@longshore/sys";
import type { Shim } from "../shim.ts";
import type { StdioTarget } from "./stdio-uri.ts";

/** A running logging binary (`binary://`). */
export interface BinaryLogger {
  /** Write ends of what it reads as descriptors 3 (stdout) and 4 (stderr). */
  sinks: [number, number];
  /** SIGTERM, and SIGKILL when it takes longer than 12 s. */
  stop(): void;
}

const patience = 12_000;

/** Starts it and waits until it says on descriptor 5 that it is ready. */
export async function startBinaryLogger(
  shim: Shim,
  target: StdioTarget & { scheme: "binary" },
  owner: { id: string; namespace: string },
): Promise<BinaryLogger> {
  if (!target.path.startsWith("/"))
    throw new InvalidArgument(`logging binary must be an absolute path: ${JSON.stringify(target.path)}`);
  const [out, err, ready] = [pipe(), pipe(), pipe()];
  let child: ReturnType<typeof shim.children.spawn>;
  try {
    child = shim.children.spawn(target.path, {
      argv: [target.path, ...target.args],
      env: { CONTAINER_ID: owner.id, CONTAINER_NAMESPACE: owner.namespace },
      fds: [-1, -1, -1, out[0], err[0], ready[1]],
      setpgid: true,
    });
  } catch (error) {
    for (const fd of [...out, ...err, ...ready]) closeSync(fd);
    throw error;
  }
  for (const fd of [out[0], err[0], ready[1]]) closeSync(fd);
  let running = true;
  void child.exit.then(() => (running = false));
  const bytes = await shim.readable(ready[0]);
  const stop = (): void => {
    if (!running) return;
    kill(child.pid, 15);
    const timer = setTimeout(() => {
      if (running) kill(child.pid, 9);
    }, patience);
    void child.exit.then(() => clearTimeout(timer));
  };
  if (bytes === 0 && target.needsByte) {
    for (const fd of [out[1], err[1]]) closeSync(fd);
    stop();
    throw new FailedPrecondition(`logging binary ${target.path} ended before it was ready`);
  }
  return { sinks: [out[1], err[1]], stop };
}
