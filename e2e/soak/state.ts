import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Longshore } from "../engine/longshore.ts";
import { must } from "../host/exec.ts";

/** What one engine has on its host and in its folders at this moment; each list is sorted. */
export interface EngineState {
  /** Containers as the engine lists them, and those of them that run. */
  all: string[];
  running: string[];
  /** Folders of records, and what containerd knows. */
  records: string[];
  containerdRecords: string[];
  tasks: string[];
  bundles: string[];
  leases: string[];
  ingests: string[];
  activeSnapshots: string[];
  snapshotFolders: number;
  snapshots: number;
  cgroups: string[];
  mounts: string[];
  namespaces: string[];
  ports: string[];
  shims: string[];
  /** Addresses of containers that rules lead published ports to. */
  published: string[];
}

function names(path: string): string[] {
  return existsSync(path) ? readdirSync(path).sort() : [];
}

/** Containers' cgroups under a parent of the engine's own, in any hierarchy. */
function cgroups(parent: string): string[] {
  const root = "/sys/fs/cgroup";
  const hierarchies = [root, ...readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => join(root, name))];
  return [...new Set(hierarchies.flatMap((hierarchy) => names(join(hierarchy, parent)).filter((name) => /^[0-9a-f]{64}$/.test(name))))].sort();
}

/** Ids of the containers that have a shim process of this engine. */
function shims(dir: string): string[] {
  const found: string[] = [];
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      const id = /containerd-shim.*\0-id\0([0-9a-f]{64})\0/.exec(command)?.[1];
      if (id !== undefined && command.includes(dir)) found.push(id);
    } catch {
      // ended between the listing and the look
    }
  }
  return found.sort();
}

const rows = (text: string): string[] => text.split("\n").map((line) => line.trim()).filter(Boolean).sort();

/** @param options what the engine was started with */
export async function engineState(longshore: Longshore, options: { bridge: string; cgroupParent: string }): Promise<EngineState> {
  const { dir } = longshore;
  const ctr = async (...args: string[]): Promise<string[]> => rows((await longshore.ctr(["-n", "moby", ...args])).stdout);
  // Snapshots that were removed lie about until the next collection, as in every containerd.
  await longshore.ctr(["-n", "moby", "leases", "create", "--id", "soak-collect"]);
  await longshore.ctr(["-n", "moby", "leases", "delete", "--sync", "soak-collect"]);
  const [containerdRecords, leases, snapshots, tasks, ingests] = await Promise.all([
    ctr("containers", "ls", "-q"),
    ctr("leases", "ls", "-q"),
    ctr("snapshots", "--snapshotter", "overlayfs", "ls"),
    ctr("tasks", "ls", "-q"),
    ctr("content", "active"),
  ]);
  const container = /^[0-9a-f]{64}$/;
  const snapshotDir = join(dir, "containerd/io.containerd.snapshotter.v1.overlayfs/snapshots");
  return {
    all: rows(await longshore.ok(["ps", "-aq", "--no-trunc"])),
    running: rows(await longshore.ok(["ps", "-q", "--no-trunc"])),
    records: names(join(dir, "data/containers")),
    containerdRecords,
    tasks,
    bundles: names(join(dir, "run/containerd/io.containerd.runtime.v2.task/moby")),
    leases,
    ingests: ingests.filter((line) => !line.startsWith("REF")),
    activeSnapshots: snapshots.filter((line) => /\b(Active|View)$/.test(line)).map((line) => line.split(/\s+/)[0] ?? ""),
    snapshotFolders: names(snapshotDir).length,
    snapshots: snapshots.filter((line) => !line.startsWith("KEY")).length,
    cgroups: cgroups(options.cgroupParent).filter((name) => container.test(name)),
    mounts: [...new Set(readFileSync("/proc/self/mounts", "utf8").split("\n").map((line) => line.split(" ")[1] ?? "").filter((path) => path.startsWith(`${dir}/`)))].sort(),
    namespaces: names(join(dir, "run/docker/netns")),
    ports: rows(await must("sh", ["-c", `ip -o link show master ${options.bridge} | cut -d: -f2`])),
    shims: shims(dir),
    published: rows(await must("sh", ["-c", `nft list map ip longshore-${options.bridge} published | grep -oE "[0-9]+ : [0-9.]+ . [0-9]+" || true`])),
  };
}

/** What is there beyond what the engine's containers need, in words; empty when all is in order. */
export function surplus(state: EngineState): string[] {
  const found: string[] = [];
  const compare = (what: string, is: readonly string[], wanted: readonly string[]): void => {
    const extra = is.filter((each) => !wanted.includes(each));
    const missing = wanted.filter((each) => !is.includes(each));
    if (extra.length > 0) found.push(`${what} without need: ${extra.join(" ")}`);
    if (missing.length > 0) found.push(`${what} missing: ${missing.join(" ")}`);
  };
  compare("records", state.records, state.all);
  compare("containerd's records", state.containerdRecords, state.all);
  compare("active snapshots", state.activeSnapshots, state.all);
  compare("tasks", state.tasks, state.running);
  compare("bundles", state.bundles, state.running);
  compare("cgroups", state.cgroups, state.running);
  compare("shims", state.shims, state.running);
  compare("leases", state.leases, []);
  compare("ingests", state.ingests, []);
  if (state.snapshotFolders !== state.snapshots) found.push(`${state.snapshotFolders} snapshot folders of ${state.snapshots} snapshots`);
  for (const [what, count] of [["network namespaces", state.namespaces.length], ["bridge ports", state.ports.length]] as const) {
    if (count !== state.running.length) found.push(`${count} ${what} of ${state.running.length} running containers`);
  }
  for (const mount of state.mounts) {
    const id = /[0-9a-f]{64}/.exec(mount)?.[0];
    if (id !== undefined && !state.running.includes(id)) found.push(`mount without need: ${mount}`);
  }
  return found;
}
