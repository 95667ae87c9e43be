import type { MessageShape } from "@bufbuild/protobuf";
import type { MetricsSchema } from "@longshore/proto/io/containerd/cgroups/v2/cgroups";
import type { CgroupStats } from "./stats-v1.ts";
import { noBlkio } from "./no-blkio.ts";

/** Fields of memory.stat by the names that files and Docker give them. */
const memoryNames = {
  anon: "anon",
  file: "file",
  kernelStack: "kernel_stack",
  slab: "slab",
  sock: "sock",
  shmem: "shmem",
  fileMapped: "file_mapped",
  fileDirty: "file_dirty",
  fileWriteback: "file_writeback",
  anonThp: "anon_thp",
  inactiveAnon: "inactive_anon",
  activeAnon: "active_anon",
  inactiveFile: "inactive_file",
  activeFile: "active_file",
  unevictable: "unevictable",
  slabReclaimable: "slab_reclaimable",
  slabUnreclaimable: "slab_unreclaimable",
  pgfault: "pgfault",
  pgmajfault: "pgmajfault",
  workingsetRefault: "workingset_refault",
  workingsetActivate: "workingset_activate",
  workingsetNodereclaim: "workingset_nodereclaim",
  pgrefill: "pgrefill",
  pgscan: "pgscan",
  pgsteal: "pgsteal",
  pgactivate: "pgactivate",
  pgdeactivate: "pgdeactivate",
  pglazyfree: "pglazyfree",
  pglazyfreed: "pglazyfreed",
  thpFaultAlloc: "thp_fault_alloc",
  thpCollapseAlloc: "thp_collapse_alloc",
} as const;

const nsPerUs = 1000;

/** A sample of cgroup v2. @param hostMemory what the limit is when the cgroup has none, in bytes */
export function statsV2(metrics: MessageShape<typeof MetricsSchema>, hostMemory: number): CgroupStats {
  const { pids, cpu, memory, io, memoryEvents } = metrics;
  const stats: Record<string, number> = {};
  for (const [field, name] of Object.entries(memoryNames))
    stats[name] = Number(memory?.[field as keyof typeof memoryNames] ?? 0n);
  const limit = Number(memory?.usageLimit ?? 0n);
  const bytes = (io?.usage ?? []).flatMap(({ major, minor, rbytes, wbytes }) => [
    { major: Number(major), minor: Number(minor), op: "read", value: Number(rbytes) },
    { major: Number(major), minor: Number(minor), op: "write", value: Number(wbytes) },
  ]);
  const failcnt = Number(memoryEvents?.oom ?? 0n);
  return {
    pids_stats: {
      current: Number(pids?.current ?? 0n),
      ...(pids === undefined || pids.limit === 0n ? {} : { limit: Number(pids.limit) }),
    },
    blkio_stats: bytes.length === 0 ? noBlkio : { ...noBlkio, io_service_bytes_recursive: bytes },
    cpu_stats: {
      cpu_usage: {
        total_usage: Number(cpu?.usageUsec ?? 0n) * nsPerUs,
        usage_in_kernelmode: Number(cpu?.systemUsec ?? 0n) * nsPerUs,
        usage_in_usermode: Number(cpu?.userUsec ?? 0n) * nsPerUs,
      },
      throttling_data: {
        periods: Number(cpu?.nrPeriods ?? 0n),
        throttled_periods: Number(cpu?.nrThrottled ?? 0n),
        throttled_time: Number(cpu?.throttledUsec ?? 0n) * nsPerUs,
      },
    },
    memory_stats: {
      usage: Number(memory?.usage ?? 0n),
      stats,
      ...(failcnt === 0 ? {} : { failcnt }),
      limit: limit === 0 || limit > hostMemory ? hostMemory : limit,
    },
  };
}
