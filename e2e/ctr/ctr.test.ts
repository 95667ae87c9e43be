import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pty from "node-pty";
import { shared } from "../engine/shared.ts";
import { tool } from "../engine/tools.ts";
import { type Result, must } from "../host/exec.ts";
import { removeCgroupParents } from "../host/state.ts";
import { until } from "../host/until.ts";

const image = "example.org/e2e/busybox:1";

describe("ctr, containerd's own client", () => {
  let dir: string;
  const ctr = (...args: string[]): Promise<Result> => shared.ctr(["-n", "e2e", ...args]);
  const ok = async (...args: string[]): Promise<string> => {
    const result = await ctr(...args);
    if (result.code !== 0) throw new Error(`ctr ${args.join(" ")}: exit ${result.code}: ${result.stderr}`);
    return result.stdout.trim();
  };

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "e2e-ctr-"));
    await shared.ok(["tag", "busybox", image]);
    await shared.ok(["save", "-o", join(dir, "image.tar"), image]);
    await shared.ok(["rmi", image]);
  });

  afterEach(async () => {
    for (const id of (await ok("tasks", "ls", "-q")).split("\n").filter(Boolean)) await ctr("tasks", "rm", "-f", id);
    for (const id of (await ok("containers", "ls", "-q")).split("\n").filter(Boolean))
      await ctr("containers", "rm", id);
  });

  after(async () => {
    await ctr("images", "rm", "--sync", image);
    rmSync(dir, { recursive: true });
    await shared.ctr(["namespaces", "rm", "e2e"]);
    removeCgroupParents("e2e");
  });

  it("version, and a namespace with labels", async () => {
    assert.match(await ok("version"), /Server:\n {2}Version: +v?\d+\.\d+/);
    await shared.ctr(["namespaces", "create", "e2e", "purpose=test"]);
    assert.match((await shared.ctr(["namespaces", "ls"])).stdout, /^e2e +purpose=test *$/m);
  });

  it("images import and ls", async () => {
    await ok("images", "import", join(dir, "image.tar"));
    assert.match(await ok("images", "ls", "-q"), new RegExp(`^${image}$`, "m"));
    assert.match(
      await ok("images", "ls"),
      new RegExp(`${image} +application/vnd\\.\\S+ +sha256:[0-9a-f]{64} +[\\d.]+ [KM]iB`),
    );
  });

  it("run --rm with output and exit code", async () => {
    const result = await ctr(
      "run",
      "--rm",
      "--env",
      "A=b",
      image,
      "one",
      "sh",
      "-c",
      "echo out $A; echo err >&2; exit 5",
    );
    assert.deepEqual([result.code, result.stdout, result.stderr.split("\n")[0]], [5, "out b\n", "err"]);
    assert.equal(await ok("containers", "ls", "-q"), "");
  });

  it("run --rm -t in a terminal", async () => {
    const terminal = pty.spawn(
      tool("ctr"),
      [
        "--address",
        process.env["LONGSHORE_TEST_CONTAINERD"] ?? join(shared.dir, "containerd.sock"),
        "-n",
        "e2e",
        "run",
        "--rm",
        "-t",
        image,
        "two",
        "sh",
      ],
      { cols: 77, rows: 22 },
    );
    let output = "";
    terminal.onData((data) => (output += data));
    const exited = new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)));
    await until("a prompt", () => output.includes("# "));
    // ctr starts the task first and sets the size of its terminal then: the prompt may come before that.
    terminal.write("until stty size 2>/dev/null | grep '22 77'; do usleep 10000; done; exit 3\r");
    assert.equal(await exited, 3);
    assert.match(output, /^22 77\r/m);
  });

  it("run -d, tasks ls, exec, pause, ps, kill, rm, containers rm", async () => {
    await ok("run", "-d", image, "three", "sleep", "300");
    assert.match(await ok("tasks", "ls"), /^three +\d+ +RUNNING *$/m);
    const exec = await ctr("tasks", "exec", "--exec-id", "e1", "three", "sh", "-c", "echo inside; exit 9");
    assert.deepEqual([exec.code, exec.stdout], [9, "inside\n"]);
    await ok("tasks", "pause", "three");
    assert.match(await ok("tasks", "ls"), /^three +\d+ +PAUSED *$/m);
    await ok("tasks", "resume", "three");
    assert.match(await ok("tasks", "ps", "three"), /^\d+ +-/m);
    assert.match(await ok("tasks", "metrics", "three"), /memory/);
    await ok("tasks", "kill", "-s", "SIGKILL", "three");
    await until("the task has stopped", async () => /three +\d+ +STOPPED/.test(await ok("tasks", "ls")));
    assert.match((await ctr("tasks", "rm", "three")).stderr, /non-zero exit code 137/);
    assert.equal(await ok("containers", "ls", "-q"), "three");
    await ok("containers", "rm", "three");
    assert.match((await ctr("tasks", "kill", "three")).stderr, /not found/);
  });

  it("content, snapshots, leases and plugins can be looked at", async () => {
    assert.match(await ok("content", "ls", "-q"), /^sha256:[0-9a-f]{64}/);
    await ok("run", "-d", image, "four", "sleep", "300");
    assert.match(await ok("snapshots", "ls"), /^four +sha256:[0-9a-f]{64} +Active *$/m);
    assert.match(await ok("leases", "create", "--id", "kept"), /kept/);
    assert.match(await ok("leases", "ls"), /^kept +/m);
    await ok("leases", "rm", "kept");
    assert.match(await ok("plugins", "ls"), /io\.containerd\.snapshotter\.v1 +overlayfs +\S+ +ok/);
  });

  it("the engine's containers live in the namespace moby", async () => {
    const id = await shared.ok(["run", "-d", "--name", "e2e-moby", "busybox", "sleep", "300"]);
    try {
      assert.match(
        (await shared.ctr(["-n", "moby", "tasks", "ls"])).stdout,
        new RegExp(`^${id} +\\d+ +RUNNING *$`, "m"),
      );
      assert.match((await shared.ctr(["-n", "moby", "containers", "ls", "-q"])).stdout, new RegExp(id));
    } finally {
      await shared.ok(["rm", "-f", "e2e-moby"]);
    }
  });

  it("a second daemon on the same root is refused", async () => {
    const args = [
      "--root",
      join(shared.dir, "containerd"),
      "--state",
      join(shared.dir, "run/containerd"),
      "--address",
      join(dir, "second.sock"),
    ];
    await assert.rejects(
      must("bin/containerd", args, { timeoutMs: 20_000 }),
      (error) => !String(error).includes("exit 137"),
    );
  });
});
