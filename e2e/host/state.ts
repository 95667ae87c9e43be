import { type Dirent, existsSync, readFileSync, readdirSync, readlinkSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { must } from "./exec.ts";

/** What an engine can leave behind on its host, but for cgroups, which the tests' hosts share. Each list is sorted. */
export interface HostState {
  mounts: string[];
  links: string[];
  tables: string[];
  processes: string[];
  files: string[];
}

/** All cgroups of the machine, sorted. */
export function cgroupFolders(): string[] {
  const root = "/sys/fs/cgroup";
  const found: string[] = [];
  const walk = (dir: string, depth: number): void => {
    let entries: Dirent[];
    try {
      entries = readdirSync(dir, { withFileTypes: true });
    } catch (error) {
      // removed between the listing and the look
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      return;
    }
    for (const entry of entries) {
      if (!entry.isDirectory()) continue;
      const path = join(dir, entry.name);
      found.push(path);
      if (depth > 0) walk(path, depth - 1);
    }
  };
  walk(root, 4);
  return found.sort();
}

/** Whether a cgroup has neither processes nor groups below it; one that is gone is not unused. */
export function isUnused(folder: string): boolean {
  try {
    return (
      readFileSync(join(folder, "cgroup.procs"), "utf8") === "" &&
      !readdirSync(folder, { withFileTypes: true }).some((entry) => entry.isDirectory())
    );
  } catch {
    return false;
  }
}

/**
 * Removes the empty cgroups called `name`, and those in them. runc removes a container's own group and, with
 * every engine, leaves the parent that the engine put it in.
 */
export function removeCgroupParents(name: string): void {
  for (const folder of cgroupFolders().reverse()) {
    if (!folder.split("/").includes(name)) continue;
    try {
      rmdirSync(folder);
    } catch {
      // Somebody else's containers are in it.
    }
  }
}

/** The group that all engines put their containers into: with several workers only the last to end may take it away. */
export function removeDockerCgroup(): void {
  if (process.env["LONGSHORE_WORKERS"] === undefined) removeCgroupParents("docker");
}

/** Processes in this mount namespace whose command line names `marker`, as `pid command`. */
export function processesOf(marker: string): string[] {
  const found: string[] = [];
  const here = readlinkSync("/proc/self/ns/mnt");
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    try {
      if (readlinkSync(`/proc/${pid}/ns/mnt`) !== here) continue;
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      if (command.includes(marker)) found.push(`${pid} ${command}`);
    } catch {
      // ended between the listing and the look
    }
  }
  return found.sort();
}

/** Mounts, links and nft tables of the host, the files of /tmp, and the processes that name `marker`. */
export async function hostState(marker: string): Promise<HostState> {
  const mounts = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split(" ").slice(0, 2).join(" "));
  const links = existsSync("/sys/class/net") ? readdirSync("/sys/class/net") : [];
  const tables = (await must("nft", ["list", "tables"])).split("\n").filter(Boolean);
  return {
    mounts: mounts.sort(),
    links: links.sort(),
    tables: tables.sort(),
    processes: processesOf(marker),
    files: readdirSync("/tmp").sort(),
  };
}

/** What `after` has and `before` had not, by kind; empty when nothing was left. */
export function leftBehind(before: HostState, after: HostState): Partial<HostState> {
  const left: Partial<HostState> = {};
  for (const kind of ["mounts", "links", "tables", "processes", "files"] as const) {
    const extra = after[kind].filter((each) => !before[kind].includes(each));
    if (extra.length > 0) left[kind] = extra;
  }
  return left;
}
