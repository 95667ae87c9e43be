import type { ContainerBlkioStatEntry, ContainerStatsResponse } from "@longshore/docker-api";
import type { MessageShape } from "@bufbuild/protobuf";
import type { BlkIOEntry, MetricsSchema } from "@longshore/proto/io/containerd/cgroups/v1/cgroups";

/** What a sample says of the cgroup; the rest comes from elsewhere. */
export type CgroupStats = Pick<ContainerStatsResponse, "pids_stats" | "blkio_stats" | "cpu_stats" | "memory_stats">;

/** Fields of memory.stat by the names that files and Docker give them. */
const memoryNames = {
  cache: "cache",
  rss: "rss",
  rssHuge: "rss_huge",
  mappedFile: "mapped_file",
  dirty: "dirty",
  writeback: "writeback",
  pgPgIn: "pgpgin",
  pgPgOut: "pgpgout",
  pgFault: "pgfault",
  pgMajFault: "pgmajfault",
  inactiveAnon: "inactive_anon",
  activeAnon: "active_anon",
  inactiveFile: "inactive_file",
  activeFile: "active_file",
  unevictable: "unevictable",
  hierarchicalMemoryLimit: "hierarchical_memory_limit",
  hierarchicalSwapLimit: "hierarchical_memsw_limit",
  totalCache: "total_cache",
  totalRss: "total_rss",
  totalRssHuge: "total_rss_huge",
  totalMappedFile: "total_mapped_file",
  totalDirty: "total_dirty",
  totalWriteback: "total_writeback",
  totalPgPgIn: "total_pgpgin",
  totalPgPgOut: "total_pgpgout",
  totalPgFault: "total_pgfault",
  totalPgMajFault: "total_pgmajfault",
  totalInactiveAnon: "total_inactive_anon",
  totalActiveAnon: "total_active_anon",
  totalInactiveFile: "total_inactive_file",
  totalActiveFile: "total_active_file",
  totalUnevictable: "total_unevictable",
} as const;

function entries(list: readonly BlkIOEntry[] | undefined): ContainerBlkioStatEntry[] {
  return (list ?? []).map(({ major, minor, op, value }) => ({
    major: Number(major),
    minor: Number(minor),
    op,
    value: Number(value),
  }));
}

/** A sample of cgroup v1. @param hostMemory what the limit is when the cgroup has none, in bytes */
export function statsV1(metrics: MessageShape<typeof MetricsSchema>, hostMemory: number): CgroupStats {
  const { pids, cpu, memory, blkio } = metrics;
  const stats: Record<string, number> = {};
  for (const [field, name] of Object.entries(memoryNames))
    stats[name] = Number(memory?.[field as keyof typeof memoryNames] ?? 0n);
  const limit = Number(memory?.usage?.limit ?? 0n);
  const failcnt = Number(memory?.usage?.failcnt ?? 0n);
  return {
    pids_stats: {
      current: Number(pids?.current ?? 0n),
      ...(pids === undefined || pids.limit === 0n ? {} : { limit: Number(pids.limit) }),
    },
    blkio_stats: {
      io_service_bytes_recursive: entries(blkio?.ioServiceBytesRecursive),
      io_serviced_recursive: entries(blkio?.ioServicedRecursive),
      io_queue_recursive: entries(blkio?.ioQueuedRecursive),
      io_service_time_recursive: entries(blkio?.ioServiceTimeRecursive),
      io_wait_time_recursive: entries(blkio?.ioWaitTimeRecursive),
      io_merged_recursive: entries(blkio?.ioMergedRecursive),
      io_time_recursive: entries(blkio?.ioTimeRecursive),
      sectors_recursive: entries(blkio?.sectorsRecursive),
    },
    cpu_stats: {
      cpu_usage: {
        total_usage: Number(cpu?.usage?.total ?? 0n),
        ...(cpu?.usage?.perCpu.length ? { percpu_usage: cpu.usage.perCpu.map(Number) } : {}),
        usage_in_kernelmode: Number(cpu?.usage?.kernel ?? 0n),
        usage_in_usermode: Number(cpu?.usage?.user ?? 0n),
      },
      throttling_data: {
        periods: Number(cpu?.throttling?.periods ?? 0n),
        throttled_periods: Number(cpu?.throttling?.throttledPeriods ?? 0n),
        throttled_time: Number(cpu?.throttling?.throttledTime ?? 0n),
      },
    },
    memory_stats: {
      usage: Number(memory?.usage?.usage ?? 0n),
      max_usage: Number(memory?.usage?.max ?? 0n),
      stats,
      ...(failcnt === 0 ? {} : { failcnt }),
      limit: limit === 0 || limit > hostMemory ? hostMemory : limit,
    },
  };
}
