import { readFile } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import type { ContainerNetworkStats, ContainerStatsResponse } from "@longshore/docker-api";
import { unpackAny } from "@longshore/proto";
import { MetricsSchema as MetricsV1 } from "@longshore/proto/io/containerd/cgroups/v1/cgroups";
import { MetricsSchema as MetricsV2 } from "@longshore/proto/io/containerd/cgroups/v2/cgroups";
import type { Container } from "../model/container.ts";
import type { Context } from "../model/context.ts";
import { hasEnded } from "../lifecycle/end/has-ended.ts";
import { never } from "../model/record.ts";
import { type CgroupStats, statsV1 } from "./stats-v1.ts";
import { statsV2 } from "./stats-v2.ts";
import { now } from "../model/time.ts";
import { noBlkio } from "./no-blkio.ts";

/** USER_HZ, which the kernel fixes for user space. */
const nsPerTick = 10_000_000;

/** What all processors together have spent since boot, in nanoseconds: the base of CPU percentages. */
async function systemCpuUsage(): Promise<number> {
  const line = (await readFile("/proc/stat", "utf8")).split("\n", 1)[0] ?? "";
  // user, nice, system, idle, iowait, irq, softirq: the rest is counted in these already.
  return (
    line
      .split(/\s+/)
      .slice(1, 8)
      .reduce((sum, ticks) => sum + Number(ticks), 0) * nsPerTick
  );
}

/** The interfaces of a process's network namespace, without the loopback. */
async function networkStats(pid: number): Promise<Record<string, ContainerNetworkStats>> {
  const networks: Record<string, ContainerNetworkStats> = {};
  for (const line of (await readFile(`/proc/${pid}/net/dev`, "utf8")).split("\n").slice(2)) {
    const [name = "", rest] = line.split(":", 2);
    if (rest === undefined || name.trim() === "lo") continue;
    const [
      rx_bytes = 0,
      rx_packets = 0,
      rx_errors = 0,
      rx_dropped = 0,
      ,
      ,
      ,
      ,
      tx_bytes = 0,
      tx_packets = 0,
      tx_errors = 0,
      tx_dropped = 0,
    ] = rest.trim().split(/\s+/).map(Number);
    networks[name.trim()] = {
      rx_bytes,
      rx_packets,
      rx_errors,
      rx_dropped,
      tx_bytes,
      tx_packets,
      tx_errors,
      tx_dropped,
    };
  }
  return networks;
}

const noCpu: ContainerStatsResponse["cpu_stats"] = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
};

/** What is answered for a container that does not run. */
export function emptyStats(container: Container): ContainerStatsResponse {
  return {
    name: container.record.Name,
    id: container.id,
    read: never,
    preread: never,
    pids_stats: {},
    blkio_stats: noBlkio,
    num_procs: 0,
    storage_stats: {},
    cpu_stats: noCpu,
    precpu_stats: noCpu,
    memory_stats: {} as never,
  };
}

async function cgroupStats(context: Context, container: Container): Promise<CgroupStats | undefined> {
  const { metrics } = await context.containerd.tasks.metrics({ filters: [`id==${container.id}`] });
  const data = metrics[0]?.data;
  const v1 = unpackAny(data, MetricsV1);
  if (v1 !== undefined) return statsV1(v1, totalmem());
  const v2 = unpackAny(data, MetricsV2);
  return v2 === undefined ? undefined : statsV2(v2, totalmem());
}

/** One sample of a container. @param previous fills the `pre` members, from which clients compute percentages */
export async function sampleStats(
  context: Context,
  container: Container,
  previous: ContainerStatsResponse | undefined,
): Promise<ContainerStatsResponse> {
  const empty = emptyStats(container);
  if (!container.alive) return empty;
  const { Pid } = container.record.State;
  const own = container.hostConfig.NetworkMode !== "host";
  const [cgroup, system, networks] = await Promise.all([
    cgroupStats(context, container).catch(async (error: unknown) => {
      if (await hasEnded(context, container)) return undefined;
      throw error;
    }),
    systemCpuUsage(),
    own ? networkStats(Pid).catch(() => undefined) : undefined,
  ]);
  if (cgroup === undefined) return empty;
  return {
    ...empty,
    read: now(),
    preread: previous?.read ?? never,
    ...cgroup,
    cpu_stats: { ...cgroup.cpu_stats, system_cpu_usage: system, online_cpus: availableParallelism() },
    precpu_stats: previous?.cpu_stats ?? noCpu,
    ...(networks === undefined ? {} : { networks }),
  };
}
