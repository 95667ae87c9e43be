import { closeSync, constants, existsSync, openSync, writeSync } from "node:fs";
import { messageOf } from "@longshore/errdefs";
import { dup2 } from "@longshore/sys";

/** Makes stderr containerd's `log` FIFO of the bundle; a reader that is away never blocks the shim. */
export function logToBundle(bundle: string): void {
  const path = `${bundle}/log`;
  if (!existsSync(path)) return;
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  dup2(fd, 2);
  closeSync(fd);
}

/** One line in logfmt, as containerd's own shims write; lost when nobody reads. */
export function log(level: "debug" | "info" | "warn" | "error", message: string, error?: unknown): void {
  const cause = error === undefined ? "" : ` error=${JSON.stringify(messageOf(error))}`;
  try {
    writeSync(2, `time="${new Date().toISOString()}" level=${level} msg=${JSON.stringify(message)}${cause}\n`);
  } catch {
    // the FIFO is full or gone: there is nowhere left to complain
  }
}
