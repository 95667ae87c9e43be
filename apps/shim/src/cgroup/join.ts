import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isUnified, v1Mounts } from "./cgroup.ts";

/** Moves a process into the cgroup `path` of every hierarchy, made when missing. */
export function joinShimCgroup(pid: number, path: string): void {
  if (isUnified()) return enter(join("/sys/fs/cgroup", path), pid);
  const targets = new Map(
    [...v1Mounts(readFileSync("/proc/self/mountinfo", "utf8"))]
      .filter(([name]) => /^[a-z_]+$/.test(name) && name !== "rw")
      .map(([name, { target }]) => [target, name]),
  );
  for (const [target, controller] of targets) {
    const folder = join(target, path);
    mkdirSync(folder, { recursive: true });
    if (controller === "cpuset") inheritCpuset(folder, target);
    enter(folder, pid);
  }
}

function enter(folder: string, pid: number): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "cgroup.procs"), String(pid));
}

/** A new v1 cpuset is empty, and takes no process before it has what its parent has. */
function inheritCpuset(folder: string, top: string): void {
  if (folder === top) return;
  inheritCpuset(dirname(folder), top);
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    if (readFileSync(join(folder, file), "utf8").trim() === "")
      writeFileSync(join(folder, file), readFileSync(join(dirname(folder), file), "utf8"));
  }
}
