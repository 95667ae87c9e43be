import { readMountInfo } from "@longshore/sys";
import { access, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

/** What the kernel's cgroups and security modules can do here; member names are Docker's. */
export interface SysInfo {
  CgroupVersion: 1 | 2;
  MemoryLimit: boolean;
  SwapLimit: boolean;
  MemoryReservation: boolean;
  OomKillDisable: boolean;
  MemorySwappiness: boolean;
  KernelMemory: boolean;
  KernelMemoryTCP: boolean;
  CPUShares: boolean;
  CPUCfs: boolean;
  CPURealtime: boolean;
  Cpuset: boolean;
  /** List format (`0-3,7`). */
  Cpus: string;
  Mems: string;
  BlkioWeight: boolean;
  BlkioWeightDevice: boolean;
  BlkioReadBpsDevice: boolean;
  BlkioWriteBpsDevice: boolean;
  BlkioReadIOpsDevice: boolean;
  BlkioWriteIOpsDevice: boolean;
  PidsLimit: boolean;
  CgroupNamespaces: boolean;
  AppArmor: boolean;
  Seccomp: boolean;
  IPv4ForwardingDisabled: boolean;
}

type CgroupInfo = Omit<SysInfo, "CgroupNamespaces" | "AppArmor" | "Seccomp" | "IPv4ForwardingDisabled">;

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function text(path: string): Promise<string> {
  return readFile(path, "utf8").then(
    (content) => content.trim(),
    () => "",
  );
}

async function readV1(root: string, mountInfo: string): Promise<CgroupInfo> {
  const mounts = new Map<string, string>();
  for (const { type, options, mountPoint } of readMountInfo(mountInfo)) {
    if (type !== "cgroup") continue;
    for (const controller of options) mounts.set(controller, join(root, mountPoint));
  }
  const has = async (controller: string, file: string): Promise<boolean> => {
    const path = mounts.get(controller);
    return path !== undefined && (await exists(join(path, file)));
  };
  const cpuset = mounts.get("cpuset");
  return {
    CgroupVersion: 1,
    MemoryLimit: mounts.has("memory"),
    SwapLimit: await has("memory", "memory.memsw.limit_in_bytes"),
    MemoryReservation: await has("memory", "memory.soft_limit_in_bytes"),
    OomKillDisable: await has("memory", "memory.oom_control"),
    MemorySwappiness: await has("memory", "memory.swappiness"),
    KernelMemory: await has("memory", "memory.kmem.limit_in_bytes"),
    KernelMemoryTCP: await has("memory", "memory.kmem.tcp.limit_in_bytes"),
    CPUShares: await has("cpu", "cpu.shares"),
    CPUCfs: await has("cpu", "cpu.cfs_quota_us"),
    CPURealtime: await has("cpu", "cpu.rt_period_us"),
    Cpuset: cpuset !== undefined,
    Cpus: cpuset === undefined ? "" : await text(join(cpuset, "cpuset.cpus")),
    Mems: cpuset === undefined ? "" : await text(join(cpuset, "cpuset.mems")),
    BlkioWeight: await has("blkio", "blkio.weight"),
    BlkioWeightDevice: await has("blkio", "blkio.weight_device"),
    BlkioReadBpsDevice: await has("blkio", "blkio.throttle.read_bps_device"),
    BlkioWriteBpsDevice: await has("blkio", "blkio.throttle.write_bps_device"),
    BlkioReadIOpsDevice: await has("blkio", "blkio.throttle.read_iops_device"),
    BlkioWriteIOpsDevice: await has("blkio", "blkio.throttle.write_iops_device"),
    PidsLimit: mounts.has("pids"),
  };
}

/** Whether some group has memory.swap.max: the root group never has, though the kernel may count swap. */
async function countsSwap(cgroupRoot: string): Promise<boolean> {
  const entries = await readdir(cgroupRoot, { withFileTypes: true });
  for (const entry of entries) {
    if (entry.isDirectory() && (await exists(join(cgroupRoot, entry.name, "memory.swap.max")))) return true;
  }
  return exists(join(cgroupRoot, "memory.swap.max"));
}

async function readV2(cgroupRoot: string): Promise<CgroupInfo> {
  const controllers = new Set((await text(join(cgroupRoot, "cgroup.controllers"))).split(" "));
  const memory = controllers.has("memory");
  const cpu = controllers.has("cpu");
  const io = controllers.has("io");
  const cpuset = controllers.has("cpuset");
  return {
    CgroupVersion: 2,
    MemoryLimit: memory,
    SwapLimit: memory && (await countsSwap(cgroupRoot)),
    MemoryReservation: memory,
    OomKillDisable: false,
    MemorySwappiness: false,
    KernelMemory: false,
    KernelMemoryTCP: false,
    CPUShares: cpu,
    CPUCfs: cpu,
    CPURealtime: false,
    Cpuset: cpuset,
    Cpus: cpuset ? await text(join(cgroupRoot, "cpuset.cpus.effective")) : "",
    Mems: cpuset ? await text(join(cgroupRoot, "cpuset.mems.effective")) : "",
    BlkioWeight: io,
    BlkioWeightDevice: io,
    BlkioReadBpsDevice: io,
    BlkioWriteBpsDevice: io,
    BlkioReadIOpsDevice: io,
    BlkioWriteIOpsDevice: io,
    PidsLimit: controllers.has("pids"),
  };
}

/** Without the parser no profile can be loaded, and none is asked for. */
async function hasParser(root: string): Promise<boolean> {
  const found = await Promise.all(
    ["sbin", "usr/sbin", "usr/bin"].map((dir) => exists(join(root, dir, "apparmor_parser"))),
  );
  return found.includes(true);
}

/**
 * Reads what the kernel can do from /proc and /sys below `root` (`/`, or a recorded tree). The
 * unified hierarchy counts when it is mounted at /sys/fs/cgroup itself, not beside v1 (hybrid).
 */
export async function readSysInfo(root = "/"): Promise<SysInfo> {
  const cgroupRoot = join(root, "sys/fs/cgroup");
  const unified = await exists(join(cgroupRoot, "cgroup.controllers"));
  const cgroups = unified
    ? await readV2(cgroupRoot)
    : await readV1(root, await text(join(root, "proc/self/mountinfo")));
  const apparmor = await text(join(root, "sys/module/apparmor/parameters/enabled"));
  return {
    ...cgroups,
    CgroupNamespaces: await exists(join(root, "proc/self/ns/cgroup")),
    AppArmor:
      apparmor.startsWith("Y") && (await exists(join(root, "sys/kernel/security/apparmor"))) && (await hasParser(root)),
    Seccomp: /^Seccomp:/m.test(await text(join(root, "proc/self/status"))),
    IPv4ForwardingDisabled: (await text(join(root, "proc/sys/net/ipv4/ip_forward"))) === "0",
  };
}
