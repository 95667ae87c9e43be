import { readMountInfo } from "@longshore/sys";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** The control group of a container: one folder in the unified hierarchy, or one for each v1 controller. */
export type Cgroup = { version: 2; path: string } | { version: 1; paths: ReadonlyMap<string, string> };

const unified = "/sys/fs/cgroup";

/** Whether the machine has the unified hierarchy alone. On a hybrid one the controllers are v1's. */
export function isUnified(root = unified): boolean {
  return existsSync(join(root, "cgroup.controllers"));
}

/** Read once: hierarchies stay where they are, and the table has a line for each container of the machine. */
let hierarchies: { v1: V1Mounts | undefined } | undefined;

/** The cgroup that a process is in. */
export function cgroupOf(pid: number): Cgroup {
  hierarchies ??= { v1: isUnified() ? undefined : v1Mounts(readFileSync("/proc/self/mountinfo", "utf8")) };
  return parseCgroup(readFileSync(`/proc/${pid}/cgroup`, "utf8"), hierarchies.v1);
}

/** Finds the folders for /proc/PID/cgroup's content; `mounts` are given on machines with v1. */
export function parseCgroup(membership: string, mounts: V1Mounts | undefined): Cgroup {
  const lines = membership
    .trimEnd()
    .split("\n")
    .map((line) => /^\d+:([^:]*):(.*)$/.exec(line) ?? ["", "", "/"]);
  if (mounts === undefined)
    return { version: 2, path: join(unified, lines.find(([, controllers]) => controllers === "")?.[2] ?? "/") };
  const paths = new Map<string, string>();
  for (const [, controllers = "", path = "/"] of lines)
    for (const controller of controllers.split(",")) {
      const mount = mounts.get(controller);
      if (mount === undefined) continue;
      const below = mount.root !== "/" && path.startsWith(mount.root) ? path.slice(mount.root.length) : path;
      paths.set(controller, join(mount.target, below));
    }
  return { version: 1, paths };
}

/** Where v1 hierarchies are mounted, by controller (or `name=…`). */
type V1Mounts = ReadonlyMap<string, { root: string; target: string }>;

/** Finds them in the content of /proc/PID/mountinfo. */
export function v1Mounts(mountinfo: string): V1Mounts {
  const mounts = new Map<string, { root: string; target: string }>();
  for (const { type, options, root, mountPoint: target } of readMountInfo(mountinfo)) {
    if (type !== "cgroup") continue;
    for (const option of options) if (!mounts.has(option)) mounts.set(option, { root, target });
  }
  return mounts;
}

/** The folder that speaks for the whole group: in v1 that of any controller that runtimes always join. */
export function mainFolder(cgroup: Cgroup): string | undefined {
  if (cgroup.version === 2) return cgroup.path;
  const controller = ["pids", "memory", "devices", "freezer", "cpu"].find((name) => cgroup.paths.has(name));
  return controller === undefined ? undefined : cgroup.paths.get(controller);
}

/** The pids of the group and of all groups below it. */
export function pidsOf(folder: string): number[] {
  const own = readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
  const below = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return own.concat(below.flatMap((entry) => pidsOf(join(folder, entry.name))));
}
