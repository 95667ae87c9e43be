import type { Resources } from "@longshore/docker-api";
import { InvalidArgument } from "@longshore/errdefs";
import type { HostFacts } from "../host/host.ts";
import type { SysInfo } from "../host/sysinfo.ts";
import { checkCpusets } from "./cpuset.ts";

/** Bytes: less than this, and no process can start in the cgroup. */
const minimumMemory = 6 * 1024 * 1024;

/** Collects warnings; `discard` says what the kernel cannot do. */
type Warn = (warning: string) => void;

const kernel = "Your kernel does not support";
const unmounted = "or the cgroup is not mounted.";

function fail(message: string): never {
  throw new InvalidArgument(message);
}

function verifyMemory(resources: Resources, sysInfo: SysInfo, update: boolean, warn: Warn): void {
  if (resources.MemorySwappiness === -1) resources.MemorySwappiness = null;
  if (resources.Memory !== 0 && resources.Memory < minimumMemory) fail("Minimum memory limit allowed is 6MB");
  if (resources.Memory > 0 && !sysInfo.MemoryLimit) {
    warn(`${kernel} memory limit capabilities ${unmounted} Limitation discarded.`);
    resources.Memory = 0;
    resources.MemorySwap = -1;
  }
  if (resources.Memory > 0 && resources.MemorySwap !== -1 && !sysInfo.SwapLimit) {
    warn(`${kernel} swap limit capabilities ${unmounted} Memory limited without swap.`);
    resources.MemorySwap = -1;
  }
  if (resources.Memory > 0 && resources.MemorySwap > 0 && resources.MemorySwap < resources.Memory) {
    fail("Minimum memoryswap limit should be larger than memory limit, see usage");
  }
  if (resources.Memory === 0 && resources.MemorySwap > 0 && !update) {
    fail("You should always set the Memory limit when using Memoryswap limit, see usage");
  }
  verifySwappiness(resources, sysInfo, warn);
  if (resources.MemoryReservation > 0 && !sysInfo.MemoryReservation) {
    warn(`${kernel} memory soft limit capabilities ${unmounted} Limitation discarded.`);
    resources.MemoryReservation = 0;
  }
  if (resources.MemoryReservation > 0 && resources.MemoryReservation < minimumMemory) {
    fail("Minimum memory reservation allowed is 6MB");
  }
  if (resources.Memory > 0 && resources.Memory < resources.MemoryReservation) {
    fail("Minimum memory limit can not be less than memory reservation limit, see usage");
  }
  verifyKernelMemory(resources, sysInfo, warn);
}

function verifyKernelMemory(resources: Resources, sysInfo: SysInfo, warn: Warn): void {
  const asked = resources.KernelMemory ?? 0;
  if (asked <= 0) return;
  if (!sysInfo.KernelMemory) {
    warn(`${kernel} kernel memory limit capabilities ${unmounted} Limitation discarded.`);
    delete resources.KernelMemory;
  } else if (asked < minimumMemory) {
    fail("Minimum kernel memory limit allowed is 6MB");
  }
}

function verifySwappiness(resources: Resources, sysInfo: SysInfo, warn: Warn): void {
  if (resources.MemorySwappiness === null) return;
  if (!sysInfo.MemorySwappiness) {
    warn(`${kernel} memory swappiness capabilities ${unmounted} Memory swappiness discarded.`);
    resources.MemorySwappiness = null;
  } else if (resources.MemorySwappiness < 0 || resources.MemorySwappiness > 100) {
    fail(`Invalid value: ${resources.MemorySwappiness}, valid memory swappiness range is 0-100`);
  }
}

function verifyOomAndPids(resources: Resources, sysInfo: SysInfo, warn: Warn): void {
  if (resources.OomKillDisable !== null && !sysInfo.OomKillDisable) {
    if (resources.OomKillDisable) warn(`${kernel} OomKillDisable. OomKillDisable discarded.`);
    resources.OomKillDisable = null;
  }
  if (resources.OomKillDisable === true && resources.Memory === 0) {
    warn(
      "OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.",
    );
  }
  if (resources.PidsLimit !== null && !sysInfo.PidsLimit) {
    if (resources.PidsLimit > 0) warn(`${kernel} PIDs limit capabilities ${unmounted} PIDs limit discarded.`);
    resources.PidsLimit = null;
  }
}

function verifyCpu(resources: Resources, host: HostFacts, warn: Warn): void {
  const { sysInfo, cpuCount } = host;
  if (resources.NanoCpus > 0 && resources.CpuPeriod > 0) {
    fail("Conflicting options: Nano CPUs and CPU Period cannot both be set");
  }
  if (resources.NanoCpus > 0 && resources.CpuQuota > 0) {
    fail("Conflicting options: Nano CPUs and CPU Quota cannot both be set");
  }
  if (resources.NanoCpus > 0 && !sysInfo.CPUCfs) {
    fail("NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted");
  }
  if (resources.NanoCpus < 0 || resources.NanoCpus > cpuCount * 1e9) {
    fail(`range of CPUs is from 0.01 to ${cpuCount}.00, as there are only ${cpuCount} CPUs available`);
  }
  if (resources.CpuShares < 0) fail(`invalid CPU shares (${resources.CpuShares}): value must be a positive integer`);
  if (resources.CpuShares > 0 && !sysInfo.CPUShares) {
    warn(`${kernel} CPU shares ${unmounted} Shares discarded.`);
    resources.CpuShares = 0;
  }
  if ((resources.CpuPeriod !== 0 || resources.CpuQuota !== 0) && !sysInfo.CPUCfs) {
    warn(`${kernel} CPU CFS scheduler. CPU period/quota discarded.`);
    resources.CpuPeriod = 0;
    resources.CpuQuota = 0;
  }
  if (resources.CpuPeriod !== 0 && (resources.CpuPeriod < 1000 || resources.CpuPeriod > 1_000_000)) {
    fail("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
  }
  if (resources.CpuQuota > 0 && resources.CpuQuota < 1000) {
    fail("CPU cfs quota can not be less than 1ms (i.e. 1000)");
  }
  if (resources.CpuPercent > 0) {
    warn("linux does not support CPU percent. Percent discarded.");
    resources.CpuPercent = 0;
  }
}

function verifyCpuset(resources: Resources, sysInfo: SysInfo, warn: Warn): void {
  if ((resources.CpusetCpus !== "" || resources.CpusetMems !== "") && !sysInfo.Cpuset) {
    warn(`${kernel} cpuset ${unmounted} Cpuset discarded.`);
    resources.CpusetCpus = "";
    resources.CpusetMems = "";
  }
  checkCpusets({ cpus: resources.CpusetCpus, mems: resources.CpusetMems }, { cpus: sysInfo.Cpus, mems: sysInfo.Mems });
}

function verifyBlockIO(resources: Resources, sysInfo: SysInfo, warn: Warn): void {
  if (resources.BlkioWeight > 0 && !sysInfo.BlkioWeight) {
    warn(`${kernel} Block I/O weight ${unmounted} Weight discarded.`);
    resources.BlkioWeight = 0;
  }
  if (resources.BlkioWeight > 0 && (resources.BlkioWeight < 10 || resources.BlkioWeight > 1000)) {
    fail("Range of blkio weight is from 10 to 1000");
  }
  if (resources.IOMaximumBandwidth !== 0 || resources.IOMaximumIOps !== 0) {
    fail("Invalid QoS settings: linux does not support Maximum IO Bandwidth or Maximum IO IOps");
  }
  const lists = [
    ["BlkioWeightDevice", "BlkioWeightDevice", "Block I/O weight_device", "Weight-device"],
    ["BlkioDeviceReadBps", "BlkioReadBpsDevice", "BPS Block I/O read limit", "Block I/O BPS read limit"],
    ["BlkioDeviceWriteBps", "BlkioWriteBpsDevice", "BPS Block I/O write limit", "Block I/O BPS write limit"],
    ["BlkioDeviceReadIOps", "BlkioReadIOpsDevice", "IOPS Block read limit", "Block I/O IOPS read limit"],
    ["BlkioDeviceWriteIOps", "BlkioWriteIOpsDevice", "IOPS Block write limit", "Block I/O IOPS write limit"],
  ] as const;
  for (const [member, ability, what, discarded] of lists) {
    if ((resources[member]?.length ?? 0) === 0 || sysInfo[ability]) continue;
    warn(`${kernel} ${what} ${unmounted} ${discarded} discarded.`);
    resources[member] = [];
  }
}

/**
 * Checks the limits against each other and against the machine. What the kernel cannot do is taken
 * out of `resources`, with a warning.
 * @param update for `docker update`, where swap may be given without memory
 * @throws InvalidArgument with the real engine's messages
 */
export function verifyResources(resources: Resources, host: HostFacts, update: boolean): string[] {
  const warnings: string[] = [];
  const warn: Warn = (warning) => void warnings.push(warning);
  verifyMemory(resources, host.sysInfo, update, warn);
  verifyOomAndPids(resources, host.sysInfo, warn);
  verifyCpu(resources, host, warn);
  verifyCpuset(resources, host.sysInfo, warn);
  verifyBlockIO(resources, host.sysInfo, warn);
  return warnings;
}
