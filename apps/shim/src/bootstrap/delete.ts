import { rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { create, toBinary } from "@longshore/proto/message";
import { DeleteResponseSchema } from "@longshore/proto/containerd/task/v3/task";
import { unmountAll } from "@longshore/sys";
import { bundleFile, readBundleFile, readExit, readPid } from "../task/bundle.ts";
import type { Flags } from "./flags.ts";
import { log } from "../log.ts";
import { readOptions } from "../task/options.ts";
import { Runc } from "../runc/runc.ts";
import { Shim } from "../shim.ts";
import { answers } from "./start.ts";
import { groupOf, socketFolder, socketName } from "./socket-address.ts";
import { now, timestamp } from "../events/timestamp.ts";

/** What is said of a process whose end nobody saw: killed. */
const unknownStatus = 137;

/** `delete`: cleans up after a shim that is gone and prints how init ended. */
export async function remove(flags: Flags): Promise<void> {
  const bundle = flags.bundle || process.cwd();
  const pid = readPid(bundle, bundleFile.pid) ?? 0;
  const shim = new Shim();
  const runc = new Runc(shim.children, readOptions(bundle), bundle, flags.namespace);
  await runc
    .run("OCI runtime delete failed", ["delete", "--force", flags.id])
    .catch((error: unknown) => log("warn", `runtime could not delete ${flags.id}`, error));
  unmountAll(join(bundle, bundleFile.rootfs));
  await removeSockets(flags, bundle);
  const exit = readExit(bundle) ?? { pid, status: unknownStatus, ...now() };
  const response = create(DeleteResponseSchema, { pid: exit.pid, exitStatus: exit.status, exitedAt: timestamp(exit) });
  writeSync(1, toBinary(DeleteResponseSchema, response));
}

/** A group's socket may still be served for other tasks. */
async function removeSockets(flags: Flags, bundle: string): Promise<void> {
  const paths = [readBundleFile(bundle, bundleFile.attach)];
  if (readBundleFile(bundle, bundleFile.config) !== undefined)
    paths.push(join(socketFolder(), await socketName(flags.address, flags.namespace, groupOf(bundle, flags.id))));
  for (const path of paths) if (path !== undefined && !(await answers(path))) rmSync(path, { force: true });
}
