import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mainFolder, parseCgroup, pidsOf, v1Mounts } from "./cgroup.ts";
import { metricsV1 } from "./stats-v1.ts";
import { metricsV2 } from "./stats-v2.ts";

const mountinfo = `25 20 0:22 / /sys/fs/cgroup rw - tmpfs tmpfs rw
31 25 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid - cgroup cgroup rw,cpu,cpuacct
32 25 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
33 25 0:29 /docker/abc /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
34 25 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
`;

describe("cgroups", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "longshore-cgroup-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const record = (files: Record<string, string>): void => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  };

  it("are found in hybrid and unified hierarchies", () => {
    const v1 = parseCgroup(
      "5:memory:/docker/abc\n4:pids:/docker/abc/x\n3:cpu,cpuacct:/c\n0::/u\n",
      v1Mounts(mountinfo),
    );
    assert.ok(v1.version === 1);
    assert.deepEqual(Object.fromEntries(v1.paths), {
      memory: "/sys/fs/cgroup/memory/docker/abc",
      pids: "/sys/fs/cgroup/pids/x",
      cpu: "/sys/fs/cgroup/cpu,cpuacct/c",
      cpuacct: "/sys/fs/cgroup/cpu,cpuacct/c",
    });
    assert.equal(mainFolder(v1), "/sys/fs/cgroup/pids/x");
    assert.deepEqual(parseCgroup("0::/system.slice/docker-abc.scope\n", undefined), {
      version: 2,
      path: "/sys/fs/cgroup/system.slice/docker-abc.scope",
    });
  });

  it("list pids, those of groups below included", () => {
    mkdirSync(join(dir, "below"));
    record({ "cgroup.procs": "1\n20\n", "below/cgroup.procs": "300\n" });
    assert.deepEqual(pidsOf(dir), [1, 20, 300]);
  });

  it("are measured on v2", () => {
    record({
      "pids.current": "3\n",
      "pids.max": "max\n",
      "cpu.stat":
        "usage_usec 5000\nuser_usec 3000\nsystem_usec 2000\nnr_periods 7\nnr_throttled 1\nthrottled_usec 90\n",
      "cpu.pressure":
        "some avg10=1.50 avg60=0.25 avg300=0.00 total=1234\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=9\n",
      "memory.current": "4096000\n",
      "memory.max": "max\n",
      "memory.peak": "5000000\n",
      "memory.swap.max": "1048576\n",
      "memory.stat":
        "anon 100\nfile 200\ninactive_file 50\nworkingset_refault_anon 3\nworkingset_refault_file 4\npgfault 12\nthp_fault_alloc 1\n",
      "memory.events": "low 0\nhigh 1\nmax 2\noom 3\noom_kill 4\n",
      "io.stat": "254:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n8:16 \n",
      "hugetlb.2MB.current": "0\n",
      "hugetlb.2MB.max": "max\n",
      "hugetlb.2MB.events": "max 5\n",
    });
    const { pids, cpu, memory, memoryEvents, io, hugetlb } = metricsV2(dir);
    assert.deepEqual([pids!.current, pids!.limit], [3n, 0n]);
    assert.deepEqual(
      [cpu!.usageUsec, cpu!.nrThrottled, cpu!.psi!.some!.avg10, cpu!.psi!.full!.total],
      [5000n, 1n, 1.5, 9n],
    );
    assert.deepEqual(
      [memory!.usage, memory!.usageLimit, memory!.maxUsage, memory!.swapLimit],
      [4096000n, 0xffff_ffff_ffff_ffffn, 5000000n, 1048576n],
    );
    assert.deepEqual(
      [memory!.anon, memory!.file, memory!.inactiveFile, memory!.workingsetRefault, memory!.pgfault],
      [100n, 200n, 50n, 7n, 12n],
    );
    assert.deepEqual([memoryEvents!.max, memoryEvents!.oomKill], [2n, 4n]);
    assert.deepEqual(
      [io!.usage[0]!.major, io!.usage[0]!.wbytes, io!.usage[0]!.wios, io!.usage[1]!.minor],
      [254n, 2n, 4n, 16n],
    );
    assert.deepEqual([hugetlb[0]!.pagesize, hugetlb[0]!.failcnt], ["2MB", 5n]);
  });

  it("are measured on v1", () => {
    record({
      "memory.stat":
        "cache 10\nrss 20\npgpgin 30\ninactive_file 40\nhierarchical_memory_limit 50\nhierarchical_memsw_limit 60\ntotal_pgmajfault 70\n",
      "memory.usage_in_bytes": "1000\n",
      "memory.max_usage_in_bytes": "2000\n",
      "memory.memsw.usage_in_bytes": "1500\n",
      "memory.oom_control": "oom_kill_disable 0\nunder_oom 1\noom_kill 2\n",
      "cpuacct.usage": "123456\n",
      "cpuacct.usage_percpu": "100 200 \n",
      "cpuacct.stat": "user 3\nsystem 4\n",
      "cpu.stat": "nr_periods 1\nnr_throttled 2\nthrottled_time 3\n",
      "blkio.throttle.io_service_bytes_recursive": "254:0 Read 512\n254:0 Total 512\nTotal 512\n",
    });
    const { memory, memoryOomControl, cpu, blkio } = metricsV1(
      new Map(["memory", "cpu", "cpuacct", "blkio"].map((name) => [name, dir])),
    );
    assert.deepEqual(
      [memory!.cache, memory!.pgPgIn, memory!.inactiveFile, memory!.hierarchicalSwapLimit, memory!.totalPgMajFault],
      [10n, 30n, 40n, 60n, 70n],
    );
    assert.deepEqual(
      [memory!.usage!.usage, memory!.usage!.max, memory!.swap!.usage, memoryOomControl!.oomKill],
      [1000n, 2000n, 1500n, 2n],
    );
    assert.deepEqual(
      [cpu!.usage!.total, cpu!.usage!.perCpu, cpu!.usage!.user, cpu!.throttling!.throttledTime],
      [123456n, [100n, 200n], 30_000_000n, 3n],
    );
    assert.deepEqual(
      blkio!.ioServiceBytesRecursive.map((e) => [e.op, e.major, e.value]),
      [
        ["Read", 254n, 512n],
        ["Total", 254n, 512n],
      ],
    );
  });
});
