import { posix } from "node:path";
import type { HostConfig } from "@longshore/docker-api";
import type { EngineSettings } from "../contract.ts";
import type { HostFacts } from "../host/host.ts";

/** The shortest form of an absolute path: no `..`, no doubled slashes, none at the end. */
export function cleanPath(path: string): string {
  return posix
    .normalize(path)
    .replace(/^\/{2,}/, "/")
    .replace(/(?<=.)\/$/, "");
}

/** Paths that an unprivileged container cannot read. */
export function defaultMaskedPaths(host: Pick<HostFacts, "thermalThrottlePaths">): string[] {
  return [
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
    ...host.thermalThrottlePaths,
  ];
}

/** Paths that an unprivileged container cannot write. */
export const defaultReadonlyPaths: readonly string[] = [
  "/proc/bus",
  "/proc/fs",
  "/proc/irq",
  "/proc/sys",
  "/proc/sysrq-trigger",
];

/** The container's cgroup as the runtime wants it: a path, or `slice:prefix:name` for systemd. */
export function cgroupsPathOf(id: string, hostConfig: HostConfig, settings: EngineSettings, host: HostFacts): string {
  const systemd = host.cgroupDriver === "systemd";
  const parent = hostConfig.CgroupParent || settings.cgroupParent || (systemd ? "system.slice" : "/docker");
  return systemd ? `${parent}:docker:${id}` : posix.join(parent, id);
}
