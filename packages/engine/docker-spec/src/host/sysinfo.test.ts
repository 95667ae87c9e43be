import assert from "node:assert/strict";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readSysInfo } from "./sysinfo.ts";

/** Makes a tree of files like /proc and /sys of some machine. */
async function withTree(files: Record<string, string>, run: (root: string) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), "sysinfo-"));
  try {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), content);
    }
    await run(root);
  } finally {
    await rm(root, { recursive: true });
  }
}

describe("readSysInfo", () => {
  it("reads a unified hierarchy", () =>
    withTree(
      {
        "sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory hugetlb pids rdma misc\n",
        "sys/fs/cgroup/cpuset.cpus.effective": "0-3\n",
        "sys/fs/cgroup/cpuset.mems.effective": "0\n",
        "sys/fs/cgroup/init.scope/memory.swap.max": "max\n",
        "sys/module/apparmor/parameters/enabled": "Y\n",
        "sys/kernel/security/apparmor/profiles": "",
        "usr/sbin/apparmor_parser": "",
        "proc/self/status": "Name:\tx\nSeccomp:\t0\n",
        "proc/self/ns/cgroup": "",
        "proc/sys/net/ipv4/ip_forward": "1\n",
      },
      async (root) => {
        const info = await readSysInfo(root);
        assert.equal(info.CgroupVersion, 2);
        assert.deepEqual([info.Cpus, info.Mems, info.SwapLimit, info.PidsLimit], ["0-3", "0", true, true]);
        assert.deepEqual([info.OomKillDisable, info.MemorySwappiness, info.CPURealtime], [false, false, false]);
        assert.deepEqual(
          [info.AppArmor, info.Seccomp, info.CgroupNamespaces, info.IPv4ForwardingDisabled],
          [true, true, true, false],
        );
      },
    ));

  it("counts no swap where no group has the file", () =>
    withTree(
      { "sys/fs/cgroup/cgroup.controllers": "memory\n", "sys/fs/cgroup/init.scope/memory.max": "max\n" },
      async (root) => {
        const info = await readSysInfo(root);
        assert.deepEqual([info.MemoryLimit, info.SwapLimit, info.CPUCfs, info.PidsLimit], [true, false, false, false]);
      },
    ));

  it("reads single hierarchies, the unified one beside them does not count", () =>
    withTree(
      {
        "proc/self/mountinfo":
          "30 23 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n" +
          "31 23 0:27 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n" +
          "32 23 0:28 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n",
        "sys/fs/cgroup/cpu,cpuacct/cpu.shares": "1024\n",
        "sys/fs/cgroup/memory/memory.oom_control": "",
        "proc/sys/net/ipv4/ip_forward": "0\n",
      },
      async (root) => {
        const info = await readSysInfo(root);
        assert.equal(info.CgroupVersion, 1);
        assert.deepEqual([info.CPUShares, info.CPUCfs, info.MemoryLimit, info.SwapLimit], [true, false, true, false]);
        assert.deepEqual(
          [info.OomKillDisable, info.Cpuset, info.PidsLimit, info.AppArmor],
          [true, false, false, false],
        );
        assert.equal(info.IPv4ForwardingDisabled, true);
      },
    ));
});
