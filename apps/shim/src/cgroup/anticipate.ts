import { join } from "node:path";
import { writeAside } from "@longshore/sys";
import { cgroupOf, mainFolder } from "./cgroup.ts";

/**
 * Takes a wait of the runtime forward. The kernel makes whoever moves a process to another cgroup wait for an RCU grace
 * period, 5 to 15 ms, unless somebody did so just before (`rcu_sync` of `cgroup_threadgroup_rwsem`). So this process
 * moves to where it is while the runtime, which is about to move what it makes, still loads.
 */
export function anticipateMove(): void {
  const folder = mainFolder(cgroupOf(process.pid));
  if (folder !== undefined) writeAside(join(folder, "cgroup.procs"), String(process.pid));
}
