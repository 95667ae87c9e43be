import { readFileSync } from "node:fs";
import { create } from "@longshore/proto/message";
import { MemoryStatSchema, type Metrics, MetricsSchema } from "@longshore/proto/io/containerd/cgroups/v1/cgroups";
import { hugepageSizes, lines, readControl, readNumber, readPairs, readRdma } from "./read.ts";

/** The kernel's clock ticks in nanoseconds: USER_HZ is 100 everywhere. */
const tick = 10_000_000n;

/** What the kernel counts for a group of v1 hierarchies; `paths` are its folders by controller. */
export function metricsV1(paths: ReadonlyMap<string, string>): Metrics {
  const [cpu, cpuacct, pids, hugetlb, rdma] = ["cpu", "cpuacct", "pids", "hugetlb", "rdma"].map((name) =>
    paths.get(name),
  );
  const stat = readPairs(cpuacct, "cpuacct.stat");
  const throttling = readPairs(cpu, "cpu.stat");
  return create(MetricsSchema, {
    pids: { current: readNumber(pids, "pids.current"), limit: readNumber(pids, "pids.max", 0n) },
    cpu: {
      usage: {
        total: readNumber(cpuacct, "cpuacct.usage"),
        kernel: (stat.get("system") ?? 0n) * tick,
        user: (stat.get("user") ?? 0n) * tick,
        perCpu: (lines(readControl(cpuacct, "cpuacct.usage_percpu"))[0] ?? []).map(BigInt),
      },
      throttling: {
        periods: throttling.get("nr_periods") ?? 0n,
        throttledPeriods: throttling.get("nr_throttled") ?? 0n,
        throttledTime: throttling.get("throttled_time") ?? 0n,
      },
    },
    ...memory(paths.get("memory")),
    blkio: blkio(paths.get("blkio")),
    ...rdmaOf(rdma),
    hugetlb: hugepageSizes(hugetlb, "usage_in_bytes").map((pagesize) => ({
      pagesize,
      usage: readNumber(hugetlb, `hugetlb.${pagesize}.usage_in_bytes`),
      max: readNumber(hugetlb, `hugetlb.${pagesize}.max_usage_in_bytes`),
      failcnt: readNumber(hugetlb, `hugetlb.${pagesize}.failcnt`),
    })),
  });
}

/** `pgpgin` is `pgPgIn` in the message, `total_rss` is `totalRss`: the names agree but for how words are set apart. */
const bare = (name: string): string => name.replaceAll("_", "").toLowerCase().replace("memsw", "swap");
const statFields = new Map(MemoryStatSchema.fields.map((field) => [bare(field.localName), field.localName]));

function memory(folder: string | undefined): object {
  if (folder === undefined) return {};
  const counted = [...readPairs(folder, "memory.stat")].flatMap(([key, value]) =>
    statFields.has(bare(key)) ? [[statFields.get(bare(key))!, value] as const] : [],
  );
  const entry = (infix: string): { usage: bigint; max: bigint; failcnt: bigint; limit: bigint } => ({
    usage: readNumber(folder, `memory.${infix}usage_in_bytes`),
    max: readNumber(folder, `memory.${infix}max_usage_in_bytes`),
    failcnt: readNumber(folder, `memory.${infix}failcnt`),
    limit: readNumber(folder, `memory.${infix}limit_in_bytes`),
  });
  const oom = readPairs(folder, "memory.oom_control");
  return {
    memory: {
      ...Object.fromEntries(counted),
      usage: entry(""),
      swap: entry("memsw."),
      kernel: entry("kmem."),
      kernelTcp: entry("kmem.tcp."),
    },
    memoryOomControl: {
      oomKillDisable: oom.get("oom_kill_disable") ?? 0n,
      underOom: oom.get("under_oom") ?? 0n,
      oomKill: oom.get("oom_kill") ?? 0n,
    },
  };
}

interface BlkioEntry {
  op: string;
  device: string;
  major: bigint;
  minor: bigint;
  value: bigint;
}

/** Without the CFQ scheduler's counters, those of throttling are what there is. */
function blkio(folder: string | undefined): object {
  const devices = deviceNames();
  const read = (file: string): BlkioEntry[] =>
    lines(readControl(folder, `blkio.${file}`)).flatMap(([device = "", ...words]) => {
      const [major, minor] = device.split(":");
      if (minor === undefined) return [];
      const [op, value] = words.length === 1 ? ["", words[0]!] : [words[0]!, words[1]!];
      return [
        { op, device: devices.get(device) ?? "", major: BigInt(major!), minor: BigInt(minor), value: BigInt(value) },
      ];
    });
  const or = (file: string, other: string): BlkioEntry[] => {
    const entries = read(file);
    return entries.length > 0 ? entries : read(other);
  };
  return {
    ioServiceBytesRecursive: or("io_service_bytes_recursive", "throttle.io_service_bytes_recursive"),
    ioServicedRecursive: or("io_serviced_recursive", "throttle.io_serviced_recursive"),
    ioQueuedRecursive: read("io_queued_recursive"),
    ioServiceTimeRecursive: read("io_service_time_recursive"),
    ioWaitTimeRecursive: read("io_wait_time_recursive"),
    ioMergedRecursive: read("io_merged_recursive"),
    ioTimeRecursive: read("time_recursive"),
    sectorsRecursive: read("sectors_recursive"),
  };
}

function deviceNames(): Map<string, string> {
  return new Map(
    lines(readFileSync("/proc/diskstats", "utf8")).map(([major = "", minor = "", name = ""]) => [
      `${major}:${minor}`,
      `/dev/${name}`,
    ]),
  );
}

/** Nothing where no device has counters. */
function rdmaOf(folder: string | undefined): {
  rdma?: { current: ReturnType<typeof readRdma>; limit: ReturnType<typeof readRdma> };
} {
  const current = readRdma(folder, "rdma.current");
  const limit = readRdma(folder, "rdma.max");
  return current.length + limit.length === 0 ? {} : { rdma: { current, limit } };
}
