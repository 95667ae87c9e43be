import assert from "node:assert/strict";
import { configure, docker, dockerOk, engineServes, machine } from "./shared.ts";

/** cgroup v2 as Debian has it, with both of the engine's drivers. */
for (const driver of ["systemd", "cgroupfs"] as const) {
  describe(`cgroup v2, driver ${driver}`, () => {
    const name = `limited-${driver}`;
    let folder = "";

    async function restartWith(options: object): Promise<void> {
      await configure(options);
      await machine().ok("systemctl restart longshore");
      await engineServes();
    }

    /** The first lines of files of the container's control group. */
    async function read(...files: string[]): Promise<string[]> {
      return (await machine().ok(`cd ${folder} && for f in ${files.join(" ")}; do head -n 1 $f; done`)).split("\n");
    }

    before(async () => {
      // systemd's is the default where systemd is
      if (driver === "cgroupfs") await restartWith({ "exec-opts": ["native.cgroupdriver=cgroupfs"] });
      const limits = ["--memory=64m", "--memory-reservation=32m", "--cpus=0.5", "--cpu-shares=512", "--pids-limit=50"];
      await dockerOk("run", "-d", "--name", name, ...limits, "--cpuset-cpus=0", "busybox", "sleep", "1000");
      const pid = await dockerOk("inspect", "-f", "{{.State.Pid}}", name);
      folder = `/sys/fs/cgroup${(await machine().ok(`cat /proc/${pid}/cgroup`)).replace(/^0::/, "")}`;
    });
    after(async () => {
      await docker("rm", "-f", name);
      if (driver === "cgroupfs") await restartWith({});
    });

    it("puts containers where the driver says", async () => {
      assert.equal(await dockerOk("info", "-f", "{{.CgroupDriver}} {{.CgroupVersion}}"), `${driver} 2`);
      const id = await dockerOk("inspect", "-f", "{{.Id}}", name);
      const place = driver === "systemd" ? `/system.slice/docker-${id}.scope` : `/docker/${id}`;
      assert.equal(folder, `/sys/fs/cgroup${place}`);
    });

    it("sets limits, and changes them while it runs", async () => {
      const files = ["memory.max", "memory.low", "cpu.max", "cpu.weight", "pids.max", "cpuset.cpus"];
      assert.deepEqual(await read(...files), [`${64 << 20}`, `${32 << 20}`, "50000 100000", "20", "50", "0"]);
      const changes = ["--memory=96m", "--memory-swap=128m", "--cpus=1", "--pids-limit=60", "--cpuset-cpus=0-1"];
      await dockerOk("update", ...changes, name);
      const now = await read("memory.max", "memory.swap.max", "cpu.max", "pids.max", "cpuset.cpus");
      assert.deepEqual(now, [`${96 << 20}`, `${32 << 20}`, "100000 100000", "60", "0-1"]);
    });

    it("pauses and goes on", async () => {
      await dockerOk("pause", name);
      assert.deepEqual(await read("cgroup.freeze"), ["1"]);
      assert.equal(await dockerOk("inspect", "-f", "{{.State.Status}}", name), "paused");
      assert.match((await docker("exec", name, "true")).stderr, /is paused/);
      await dockerOk("unpause", name);
      assert.deepEqual(await read("cgroup.freeze"), ["0"]);
    });

    it("shows what it uses", async () => {
      const stats = JSON.parse(await dockerOk("stats", "--no-stream", "--format", "json", name)) as Record<
        string,
        string
      >;
      assert.match(stats["MemUsage"]!, /\/ 96MiB$/);
      assert.equal(stats["PIDs"], "1");
      assert.match(stats["CPUPerc"]!, /^\d+\.\d+%$/);
    });

    it("tells of the kernel's kill for memory", async () => {
      const oom = `oom-${driver}`;
      const eat = ["sh", "-c", "sleep 1; tail /dev/zero"];
      const { code } = await docker("run", "--name", oom, "--memory=16m", "--memory-swap=16m", "busybox", ...eat);
      assert.equal(await dockerOk("inspect", "-f", "{{.State.OOMKilled}}", oom), "true");
      assert.equal(code, 137);
      await dockerOk("rm", oom);
    });

    it("gives devices as they were asked for, and no others", async () => {
      const node = await machine().ok("stat -c '%Hr %Lr' /dev/vda");
      const run = (options: string[], script: string) =>
        docker("run", "--rm", ...options, "busybox", "sh", "-c", script);
      const [none, readable] = await Promise.all([
        run([], `mknod /tmp/d b ${node} && head -c 1 /tmp/d >/dev/null`),
        run(["--device=/dev/vda:/dev/x:r"], "head -c 1 /dev/x >/dev/null && echo read; : >>/dev/x"),
      ]);
      assert.match(none.stderr, /not permitted/);
      assert.equal(readable.stdout, "read\n");
      assert.match(readable.stderr, /not permitted/);
    });

    it("leaves no control group behind", async () => {
      await dockerOk("rm", "-f", name);
      assert.notEqual((await machine().sh(`test -d ${folder}`)).code, 0);
    });
  });
}
