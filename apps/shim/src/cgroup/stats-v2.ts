import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@longshore/proto/message";
import {
  MemoryEventsSchema,
  MemoryStatSchema,
  type Metrics,
  MetricsSchema,
  type PSIStatsSchema,
} from "@longshore/proto/io/containerd/cgroups/v2/cgroups";
import { assignments, hugepageSizes, lines, readControl, readNumber, readPairs, readRdma } from "./read.ts";

/** What the kernel counts for a group of the unified hierarchy. */
export function metricsV2(folder: string): Metrics {
  const cpu = readPairs(folder, "cpu.stat");
  const number = (map: Map<string, bigint>, key: string): bigint => map.get(key) ?? 0n;
  return create(MetricsSchema, {
    pids: { current: readNumber(folder, "pids.current"), limit: readNumber(folder, "pids.max", 0n) },
    cpu: {
      usageUsec: number(cpu, "usage_usec"),
      userUsec: number(cpu, "user_usec"),
      systemUsec: number(cpu, "system_usec"),
      nrPeriods: number(cpu, "nr_periods"),
      nrThrottled: number(cpu, "nr_throttled"),
      throttledUsec: number(cpu, "throttled_usec"),
      nrBursts: number(cpu, "nr_bursts"),
      burstUsec: number(cpu, "burst_usec"),
      ...pressure(folder, "cpu.pressure"),
    },
    memory: memory(folder),
    memoryEvents: byName(MemoryEventsSchema.fields, readPairs(folder, "memory.events")),
    io: { usage: io(folder), ...pressure(folder, "io.pressure") },
    rdma: { current: readRdma(folder, "rdma.current"), limit: readRdma(folder, "rdma.max") },
    hugetlb: hugepageSizes(folder, "current").map((pagesize) => ({
      pagesize,
      current: readNumber(folder, `hugetlb.${pagesize}.current`),
      max: readNumber(folder, `hugetlb.${pagesize}.max`),
      failcnt: number(readPairs(folder, `hugetlb.${pagesize}.events`), "max"),
    })),
  });
}

/** Fields carry the kernel's names, in camel case. */
function byName(fields: readonly { localName: string }[], values: Map<string, bigint>): Record<string, bigint> {
  const known = new Set(fields.map(({ localName }) => localName));
  const named = [...values].map(
    ([name, value]) => [name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()), value] as const,
  );
  return Object.fromEntries(named.filter(([localName]) => known.has(localName)));
}

function memory(folder: string): MessageInitShape<typeof MemoryStatSchema> {
  const stat = readPairs(folder, "memory.stat");
  // since Linux 5.9 counted apart for anonymous and file pages
  for (const key of ["workingset_refault", "workingset_activate"])
    if (!stat.has(key)) stat.set(key, (stat.get(`${key}_anon`) ?? 0n) + (stat.get(`${key}_file`) ?? 0n));
  return {
    ...byName(MemoryStatSchema.fields, stat),
    usage: readNumber(folder, "memory.current"),
    usageLimit: readNumber(folder, "memory.max"),
    maxUsage: readNumber(folder, "memory.peak"),
    swapUsage: readNumber(folder, "memory.swap.current"),
    swapLimit: readNumber(folder, "memory.swap.max"),
    swapMaxUsage: readNumber(folder, "memory.swap.peak"),
    ...pressure(folder, "memory.pressure"),
  };
}

function io(
  folder: string,
): { major: bigint; minor: bigint; rbytes: bigint; wbytes: bigint; rios: bigint; wios: bigint }[] {
  return lines(readControl(folder, "io.stat")).flatMap(([device = "", ...words]) => {
    const match = /^(\d+):(\d+)$/.exec(device);
    if (match === null) return [];
    const values = assignments(words);
    const value = (key: string): bigint => values.get(key) ?? 0n;
    return [
      {
        major: BigInt(match[1]!),
        minor: BigInt(match[2]!),
        rbytes: value("rbytes"),
        wbytes: value("wbytes"),
        rios: value("rios"),
        wios: value("wios"),
      },
    ];
  });
}

type Psi = { psi: MessageInitShape<typeof PSIStatsSchema> };

function pressure(folder: string, file: string): Psi | Record<string, never> {
  const parsed = new Map(
    lines(readControl(folder, file)).map(([kind = "", ...words]) => {
      const values = new Map(words.map((word) => word.split("=") as [string, string]));
      const average = (key: string): number => Number(values.get(key) ?? 0);
      return [
        kind,
        {
          avg10: average("avg10"),
          avg60: average("avg60"),
          avg300: average("avg300"),
          total: BigInt(values.get("total") ?? 0),
        },
      ] as const;
    }),
  );
  const [some, full] = [parsed.get("some"), parsed.get("full")];
  return parsed.size === 0 ? {} : { psi: { ...(some && { some }), ...(full && { full }) } };
}
