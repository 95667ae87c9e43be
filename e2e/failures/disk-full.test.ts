import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync, readdirSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { importBusybox } from "../engine/busybox.ts";
import { Longshore } from "../engine/longshore.ts";
import { Disk } from "../host/disk.ts";
import { until } from "../host/until.ts";

describe("a full disk", () => {
  const longshore = new Longshore({
    bridge: `lsf${process.pid}`,
    address: `10.216.${process.pid % 250}.1/24`,
    disk: "disk",
  });
  const disk = new Disk(join(longshore.dir, "disk"), 96);
  const filler = join(disk.path, "filler");
  const archive = join(longshore.dir, "image.tar");
  const untilTerm = ["busybox", "sh", "-c", "trap 'exit 7' TERM; while :; do sleep 0.1; done"];
  const full = /no space left on device/;

  before(async function () {
    this.timeout(60_000);
    await disk.format();
    await disk.mount();
    await longshore.start();
    await importBusybox(longshore);
    await longshore.ok(["tag", "busybox", "other"]);
    await longshore.ok(["save", "-o", archive, "other"]);
    // Prints, and counts in memory what it has printed.
    await longshore.ok([
      "run",
      "-d",
      "--name",
      "printer",
      "busybox",
      "sh",
      "-c",
      "while :; do i=$((i+1)); echo line $i; echo $i >/dev/shm/count; usleep 20000; done",
    ]);
  });
  beforeEach(async function () {
    this.timeout(20_000);
    await longshore.ok(["run", "-d", "--name", "runs", ...untilTerm]);
    await longshore.ok(["create", "--name", "waits", "busybox", "echo", "hi"]);
    fill();
  });
  afterEach(async function () {
    this.timeout(20_000);
    rmSync(filler, { force: true });
    await longshore.docker(["rm", "-f", "runs", "waits"]);
  });
  after(async function () {
    this.timeout(60_000);
    await longshore.docker(["rm", "-f", "printer"]);
    await longshore.engine.stop();
    await longshore.containerd.stop();
    await disk.remove();
    await longshore.dispose();
  });

  /** Takes all that is left, to the last block, root's part too. */
  function fill(): void {
    const fd = openSync(filler, "a");
    for (const size of [1 << 20, 4096, 1]) {
      const data = Buffer.alloc(size, "x");
      assert.throws(
        () => {
          for (;;) writeSync(fd, data);
        },
        { code: "ENOSPC" },
      );
    }
    closeSync(fd);
  }
  const count = async (): Promise<number> => Number(await longshore.ok(["exec", "printer", "cat", "/dev/shm/count"]));
  /** The container that prints has gone on, and goes on. */
  async function prints(): Promise<void> {
    const before = await count();
    await until("the container goes on printing", async () => (await count()) > before + 5);
  }
  async function fails(args: string[], what = full): Promise<void> {
    const { code, stderr } = await longshore.docker(args, { timeoutMs: 10_000 });
    assert.notEqual(code, 0, args.join(" "));
    assert.notEqual(code, 137, args.join(" "));
    assert.match(stderr, what, args.join(" "));
    assert.doesNotMatch(stderr, /ENOSPC/);
  }
  const all = async (): Promise<string> =>
    [
      await longshore.ok(["ps", "-a", "--format", "{{.Names}} {{.State}}"]),
      await longshore.ok(["images", "--format", "{{.Repository}} {{.ID}}"]),
      await longshore.ok(["volume", "ls", "-q"]),
      await longshore.ok(["network", "ls"]),
    ].join("\n");

  it("is told by what wants more of it, and nothing is left of that; afterwards it works", async function () {
    this.timeout(60_000);
    const before = await all();
    const works: string[][] = [
      ["create", "--name", "new", "busybox", "true"],
      ["run", "--rm", "--name", "ran", "busybox", "true"],
      ["load", "-i", archive],
      ["import", archive, "imported"],
      ["commit", "runs", "committed"],
      ["volume", "create", "vol"],
      ["cp", archive, "runs:/file"],
      ["update", "--restart", "on-failure", "runs"],
    ];
    await longshore.ok(["image", "rm", "other"]);
    fill();
    for (const args of works) {
      // What failed before may have given back a little.
      fill();
      await fails(args);
    }
    assert.equal(await all(), before.replace(/^other.*\n/m, ""));
    assert.equal(await longshore.ok(["inspect", "-f", "{{.HostConfig.RestartPolicy.Name}}", "runs"]), "no");
    await prints();
    assert.match(await longshore.ok(["logs", "--tail", "1", "printer"]), /^line \d+$/);
    assert.match(readFileSync(longshore.containerd.log, "utf8"), /log .*-json\.log cannot be written/);
    rmSync(filler);
    for (const args of works) await longshore.ok(args);
    await longshore.ok(["rm", "new"]);
    await longshore.ok(["rmi", "imported", "committed"]);
    await longshore.ok(["volume", "rm", "vol"]);
    const last = await count();
    await until(
      "its log goes on",
      async () => Number((await longshore.ok(["logs", "--tail", "1", "printer"])).replace("line ", "")) >= last + 10,
    );
  });

  it("hinders no exec, stop, kill or rm", async function () {
    this.timeout(30_000);
    assert.equal(await longshore.ok(["exec", "runs", "echo", "in"]), "in");
    await longshore.ok(["stop", "runs"]);
    assert.equal(await longshore.ok(["inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "runs"]), "exited 7");
    await longshore.ok(["rm", "runs", "waits"]);
    assert.equal(await longshore.ok(["ps", "-aq", "--filter", "name=runs", "--filter", "name=waits"]), "");
  });

  it("hinders no start of the daemons, after a stop or a kill; what ended meanwhile has its exit code", async function () {
    this.timeout(60_000);
    for (const how of ["stop", "kill"] as const) {
      fill();
      await longshore.engine[how]();
      await longshore.containerd[how]();
      const pid = readPid();
      process.kill(pid, "SIGTERM");
      await until("it has ended", () => !isAlive(pid));
      fill();
      await longshore.containerd.start();
      await longshore.engine.start();
      await prints();
      const { code } = await longshore.docker(["stop", "runs"]);
      assert.equal(code, 0);
      assert.equal(await longshore.ok(["inspect", "-f", "{{.State.ExitCode}}", "runs"]), "7");
      rmSync(filler);
      await longshore.ok(["start", "runs"]);
    }
    fill();
    await longshore.ok(["rm", "-f", "runs"]);
  });

  /** Of the container `runs`, as its record says it while no engine runs. */
  function readPid(): number {
    for (const id of readdirSync(join(disk.path, "data/containers"))) {
      const record = JSON.parse(readFileSync(join(disk.path, "data/containers", id, "config.v2.json"), "utf8")) as {
        Name: string;
        State: { Pid: number };
      };
      if (record.Name === "/runs") return record.State.Pid;
    }
    throw new Error("no record");
  }

  function isAlive(pid: number): boolean {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  }
});
