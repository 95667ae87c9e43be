import { stat } from "node:fs/promises";
import type { Resources, ThrottleDevice } from "@longshore/docker-api";
import { InvalidArgument, Unknown, messageOf } from "@longshore/errdefs";
import type { LinuxResources, runtime } from "@longshore/oci";
import { deviceNumber } from "./devices.ts";

/** Microseconds of the period in which `--cpus` is measured. */
const cpuPeriod = 100_000;

function memoryOf(resources: Resources): runtime.LinuxMemory {
  const memory: runtime.LinuxMemory = {};
  if (resources.Memory > 0) memory.limit = resources.Memory;
  if (resources.MemoryReservation > 0) memory.reservation = resources.MemoryReservation;
  if (resources.MemorySwap > 0) memory.swap = resources.MemorySwap;
  if (resources.KernelMemory) memory.kernel = resources.KernelMemory;
  if (resources.KernelMemoryTCP) memory.kernelTCP = resources.KernelMemoryTCP;
  if (resources.MemorySwappiness !== null) memory.swappiness = resources.MemorySwappiness;
  if (resources.OomKillDisable !== null) memory.disableOOMKiller = resources.OomKillDisable;
  return memory;
}

function cpuOf(resources: Resources): runtime.LinuxCPU {
  const cpu: runtime.LinuxCPU = {};
  if (resources.CpuShares < 0) {
    throw new InvalidArgument(`invalid CPU shares (${resources.CpuShares}): value must be a positive integer`);
  }
  if (resources.CpuShares > 0) cpu.shares = resources.CpuShares;
  if (resources.NanoCpus > 0) {
    cpu.period = resources.CpuPeriod > 0 ? resources.CpuPeriod : cpuPeriod;
    cpu.quota = Math.trunc((resources.NanoCpus * cpu.period) / 1e9);
  }
  if (resources.CpuPeriod !== 0) cpu.period = resources.CpuPeriod;
  if (resources.CpuQuota !== 0) cpu.quota = resources.CpuQuota;
  if (resources.CpuRealtimePeriod !== 0) cpu.realtimePeriod = resources.CpuRealtimePeriod;
  if (resources.CpuRealtimeRuntime !== 0) cpu.realtimeRuntime = resources.CpuRealtimeRuntime;
  if (resources.CpusetCpus !== "") cpu.cpus = resources.CpusetCpus;
  if (resources.CpusetMems !== "") cpu.mems = resources.CpusetMems;
  return cpu;
}

async function numberOf(path: string): Promise<{ major: number; minor: number }> {
  try {
    return deviceNumber((await stat(path)).rdev);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === "ENOENT" ? "no such file or directory" : messageOf(error);
    throw new Unknown(`stat ${path}: ${reason}`, { cause: error });
  }
}

function throttles(devices: readonly ThrottleDevice[] | null): Promise<runtime.LinuxThrottleDevice[]> {
  return Promise.all((devices ?? []).map(async ({ Path, Rate }) => ({ ...(await numberOf(Path)), rate: Rate })));
}

async function blockIOOf(resources: Resources): Promise<runtime.LinuxBlockIO> {
  const blockIO: runtime.LinuxBlockIO = {};
  if (resources.BlkioWeight > 0) blockIO.weight = resources.BlkioWeight;
  const weights = await Promise.all(
    (resources.BlkioWeightDevice ?? []).map(async ({ Path, Weight }) => ({
      ...(await numberOf(Path)),
      weight: Weight,
    })),
  );
  if (weights.length > 0) blockIO.weightDevice = weights;
  const [readBps, writeBps, readIOps, writeIOps] = await Promise.all([
    throttles(resources.BlkioDeviceReadBps),
    throttles(resources.BlkioDeviceWriteBps),
    throttles(resources.BlkioDeviceReadIOps),
    throttles(resources.BlkioDeviceWriteIOps),
  ]);
  if (readBps.length > 0) blockIO.throttleReadBpsDevice = readBps;
  if (writeBps.length > 0) blockIO.throttleWriteBpsDevice = writeBps;
  if (readIOps.length > 0) blockIO.throttleReadIOPSDevice = readIOps;
  if (writeIOps.length > 0) blockIO.throttleWriteIOPSDevice = writeIOps;
  return blockIO;
}

/**
 * The cgroup limits of a container, without those on devices; also what `docker update` hands to
 * the running task.
 * @throws Unknown `stat /dev/x: no such file or directory`, InvalidArgument
 */
export async function resourcesOf(resources: Resources): Promise<LinuxResources> {
  const result: LinuxResources = { memory: memoryOf(resources) };
  const cpu = cpuOf(resources);
  if (Object.keys(cpu).length > 0) result.cpu = cpu;
  if (resources.PidsLimit !== null) result.pids = { limit: resources.PidsLimit > 0 ? resources.PidsLimit : -1 };
  const blockIO = await blockIOOf(resources);
  if (Object.keys(blockIO).length > 0) result.blockIO = blockIO;
  return result;
}
