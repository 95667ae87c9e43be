import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { importBusybox } from "../engine/busybox.ts";
import { Longshore } from "../engine/longshore.ts";
import { exec } from "../host/exec.ts";
import { until } from "../host/until.ts";

describe("a reboot", () => {
  const longshore = new Longshore({ bridge: `lsb${process.pid}`, address: `10.215.${process.pid % 250}.1/24` });
  const names = ["db", "app", "worker", "gone", "job", "after", "xa", "ya"];

  before(async function () {
    this.timeout(60_000);
    await longshore.start();
    await importBusybox(longshore);
  });
  after(async function () {
    this.timeout(60_000);
    await longshore.docker(["rm", "-f", ...names]);
    await longshore.dispose();
  });

  async function run(name: string, dependsOn: string, args: readonly string[], command: string): Promise<void> {
    const labels = { project: "boot", service: name, depends_on: dependsOn };
    const given = Object.entries(labels).flatMap(([key, value]) => ["--label", `com.docker.compose.${key}=${value}`]);
    await longshore.ok([
      "run",
      "-d",
      "--name",
      name,
      "--network",
      "none",
      ...given,
      ...args,
      "busybox",
      "sh",
      "-c",
      command,
    ]);
  }
  const time = async (name: string, field = "StartedAt"): Promise<number> =>
    Date.parse(await longshore.ok(["inspect", "-f", `{{.State.${field}}}`, name]));

  /** Everything that runs is killed, and what is not on a disk is gone. */
  async function cut(): Promise<void> {
    const ids = (await longshore.ok(["ps", "-aq", "--no-trunc"])).split("\n");
    await Promise.all([longshore.engine.kill(), longshore.containerd.kill()]);
    for (const folder of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        if (readFileSync(`/proc/${folder}/cmdline`, "utf8").includes(`${longshore.dir}/`)) {
          const children = readFileSync(`/proc/${folder}/task/${folder}/children`, "utf8").split(" ").filter(Boolean);
          for (const pid of [folder, ...children]) process.kill(Number(pid), "SIGKILL");
        }
      } catch (error) {
        if (!["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
      }
    }
    const mounts = readFileSync("/proc/self/mounts", "utf8")
      .split("\n")
      .map((line) => line.split(" ")[1] ?? "")
      .filter((path) => path.startsWith(`${longshore.dir}/`));
    for (const path of mounts.toReversed()) await exec("umount", ["-l", path]);
    rmSync(join(longshore.dir, "run"), { recursive: true, force: true });
    for (const id of ids)
      await until(
        "its cgroups are gone",
        async () =>
          (
            await exec("sh", [
              "-c",
              `! find /sys/fs/cgroup -depth -type d -name ${id} ! -exec rmdir {} ';' -print | grep -q .`,
            ])
          ).code === 0,
      );
  }

  it("restart policies follow compose's dependencies and their conditions", async function () {
    this.timeout(60_000);
    // A file of the last boot would make it healthy before it does anything.
    const health = [
      "--tmpfs",
      "/tmp",
      "--health-cmd",
      "test -f /tmp/up",
      "--health-interval",
      "200ms",
      "--health-retries",
      "100",
    ];
    const always = ["--restart", "always"];
    await run("db", "", [...always, ...health], "sleep 1.5; touch /tmp/up; sleep 1000");
    await run("app", "db:service_healthy:false", always, "sleep 1000");
    await run("gone", "", health, "sleep 1000");
    await run("worker", "app:service_started:true,gone:service_healthy:false", always, "sleep 1000");
    await run(
      "job",
      "db:service_started:false",
      ["--restart", "on-failure"],
      "test -f /done && sleep 1 || { touch /done; sleep 1000; }",
    );
    await run("after", "job:service_completed_successfully:false", ["--restart", "unless-stopped"], "sleep 1000");
    await run("xa", "ya:service_started:false", always, "sleep 1000");
    await run("ya", "xa:service_started:false", always, "sleep 1000");
    await until(
      "the job has done its first part",
      async () => (await longshore.docker(["exec", "job", "test", "-f", "/done"])).code === 0,
    );
    await cut();
    await longshore.containerd.start();
    await longshore.engine.start();
    // Nothing of this keeps the engine from answering.
    assert.equal((await longshore.ok(["ps", "-aq"])).split("\n").length, names.length);
    const running = ["after", "app", "db", "worker", "xa", "ya"];
    await until("all that have a policy run", async () => {
      const shown = (await longshore.ok(["ps", "--filter", "status=running", "--format", "{{.Names}}"]))
        .split("\n")
        .sort();
      return shown.join() === running.join();
    });
    assert.ok((await time("app")) - (await time("db")) >= 1500, "app waits until db is healthy");
    assert.ok((await time("worker")) >= (await time("app")), "worker waits for app");
    assert.ok((await time("after")) >= (await time("job", "FinishedAt")), "after waits until job has done its work");
    assert.equal(await longshore.ok(["inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "job"]), "exited 0");
    assert.match(await longshore.ok(["inspect", "-f", "{{.State.Status}}", "gone"]), /exited/);
  });
});
