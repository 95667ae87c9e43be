import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { ContainerdClient } from "@longshore/containerd-client";
import { Kind } from "@longshore/proto/containerd/services/snapshots/v1/snapshots";
import { must } from "../host/exec.ts";
import type { Longshore } from "./longshore.ts";

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
  const hierarchies = [
    root,
    ...readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(root, name)),
  ];
  return [
    ...new Set(
      hierarchies.flatMap((hierarchy) => names(join(hierarchy, parent)).filter((name) => /^[0-9a-f]{64}$/.test(name))),
    ),
  ].sort();
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

const containerId = /^[0-9a-f]{64}$/;

/** Has containerd collect its garbage, and waits for it: snapshots that were removed lie about until then, as in every containerd. */
async function collectGarbage({ leases }: ContainerdClient): Promise<void> {
  await leases.create({ id: "state-collect" });
  await leases.delete({ id: "state-collect", sync: true });
}

async function snapshotsOf({ snapshots }: ContainerdClient): Promise<{ name: string; kind: Kind }[]> {
  const found: { name: string; kind: Kind }[] = [];
  for await (const { info } of snapshots.list({ snapshotter: "overlayfs" })) found.push(...info);
  return found;
}

/** @param options what the engine was started with */
export async function engineState(
  longshore: Longshore,
  options: { bridge: string; cgroupParent: string },
): Promise<EngineState> {
  const { dir, api, data, containerdRoot } = longshore;
  const { containerd } = api;
  await collectGarbage(containerd);
  const [listed, records, leases, snapshots, tasks, ingests, published] = await Promise.all([
    api.get<{ Id: string; State: string }[]>("/containers/json?all=1"),
    containerd.containers.list({}),
    containerd.leases.list({}),
    snapshotsOf(containerd),
    containerd.tasks.list({}),
    containerd.content.listStatuses({}),
    must("sh", [
      "-c",
      `nft list map ip longshore-${options.bridge} published | grep -oE "[0-9]+ : [0-9.]+ . [0-9]+" || true`,
    ]),
  ]);
  return {
    all: listed.map(({ Id }) => Id).sort(),
    running: listed
      .filter(({ State }) => State === "running" || State === "paused")
      .map(({ Id }) => Id)
      .sort(),
    records: names(join(data, "containers")),
    containerdRecords: records.containers.map(({ id }) => id).sort(),
    tasks: tasks.tasks.map(({ id, containerId }) => containerId || id).sort(),
    bundles: names(join(dir, "run/containerd/io.containerd.runtime.v2.task/moby")),
    leases: leases.leases.map(({ id }) => id).sort(),
    ingests: ingests.statuses.map(({ ref }) => ref).sort(),
    activeSnapshots: snapshots
      .filter(({ kind }) => kind === Kind.ACTIVE || kind === Kind.VIEW)
      .map(({ name }) => name)
      .sort(),
    snapshotFolders: names(join(containerdRoot, "io.containerd.snapshotter.v1.overlayfs/snapshots")).length,
    snapshots: snapshots.length,
    cgroups: cgroups(options.cgroupParent).filter((name) => containerId.test(name)),
    mounts: [
      ...new Set(
        readFileSync("/proc/self/mounts", "utf8")
          .split("\n")
          .map((line) => line.split(" ")[1] ?? "")
          .filter((path) => path.startsWith(`${dir}/`)),
      ),
    ].sort(),
    namespaces: names(join(dir, "run/docker/netns")),
    ports: names(`/sys/class/net/${options.bridge}/brif`),
    shims: shims(dir),
    published: published.split("\n").filter(Boolean).sort(),
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
  if (state.snapshotFolders !== state.snapshots)
    found.push(`${state.snapshotFolders} snapshot folders of ${state.snapshots} snapshots`);
  for (const [what, count] of [
    ["network namespaces", state.namespaces.length],
    ["bridge ports", state.ports.length],
  ] as const) {
    if (count !== state.running.length) found.push(`${count} ${what} of ${state.running.length} running containers`);
  }
  for (const mount of state.mounts) {
    const id = /[0-9a-f]{64}/.exec(mount)?.[0];
    if (id !== undefined && !state.running.includes(id)) found.push(`mount without need: ${mount}`);
  }
  return found;
}
