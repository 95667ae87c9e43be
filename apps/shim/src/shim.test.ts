import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { TaskDeleteSchema, TaskOOMSchema, TaskStartSchema } from "@longshore/proto/containerd/events/events";
import {
  BootstrapParamsSchema,
  BootstrapResultSchema,
} from "@longshore/proto/containerd/runtime/bootstrap/v1/bootstrap";
import { Status } from "@longshore/proto/containerd/v1/types/task";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { mkfifo } from "@longshore/sys";
import { Harness, TestTask, type TaskOptions, alive } from "./testing/harness.ts";

describe("containerd-shim-longshore-v2", function () {
  this.timeout(20_000);
  let harness: Harness;
  let tasks: TestTask[];
  let count = 0;

  before(() => (harness = new Harness()));
  after(() => harness.close());
  beforeEach(async () => {
    tasks = [];
    await harness.listen();
  });
  afterEach(async () => {
    for (const task of tasks) await task.abandon();
    await harness.silence();
  });

  function make(options: TaskOptions): TestTask {
    const task = new TestTask(harness, `t${++count}`, options);
    tasks.push(task);
    return task;
  }
  const sh = (script: string, options: Omit<TaskOptions, "args"> = {}): TestTask =>
    make({ args: ["sh", "-c", script], ...options });
  const exec = (task: TestTask, execId: string, script: string, stdio: object = {}): Promise<unknown> =>
    task.task.exec({
      id: task.id,
      execId,
      ...stdio,
      spec: {
        typeUrl: "types.containerd.io/opencontainers/runtime-spec/1/Process",
        value: Buffer.from(
          JSON.stringify({
            ...stdio,
            user: { uid: 0, gid: 0 },
            args: ["sh", "-c", script],
            env: ["PATH=/bin"],
            cwd: "/",
          }),
        ),
      },
    });

  it("tells exit codes and signals truly, and leaves nothing", async () => {
    for (const [script, status] of [
      ["exit 0", 0],
      ["exit 3", 3],
      ["kill -TERM $$; exec sleep 100", 143],
    ] as const) {
      const task = sh(script, { hostPid: true });
      const pid = await task.run();
      const exit = await harness.exitOf(task.id);
      assert.deepEqual([exit.exitStatus, exit.pid, exit.containerId], [status, pid, task.id]);
      assert.equal((await task.task.wait({ id: task.id })).exitStatus, status);
      const state = await task.task.state({ id: task.id });
      assert.deepEqual([state.status, state.exitStatus, state.pid, state.bundle], [3, status, pid, task.bundle]);
      assert.deepEqual(await task.finish(), []);
      assert.equal(
        (await harness.event("/tasks/delete", TaskDeleteSchema, (e) => e.containerId === task.id)).exitStatus,
        status,
      );
      assert.deepEqual(
        harness.events.splice(0).map((e) => e.topic),
        ["/tasks/create", "/tasks/start", "/tasks/exit", "/tasks/delete"],
      );
    }
  });

  it("ends the server that it started when its caller is gone", async () => {
    const task = make({ args: ["true"] });
    assert.equal(await task.bootUnheard(), 1);
    // A killed process is gone a moment later; mocha's timeout ends the wait.
    while (spawnSync("pgrep", ["-f", "--", `-id ${task.id} .*${harness.dir}`]).status === 0) await sleep(20);
  });

  it("kills, and says NotFound when there is nothing left to kill", async () => {
    const task = make({ args: ["sleep", "1000"] });
    await task.run();
    await task.task.kill({ id: task.id, signal: 9 });
    assert.equal((await task.task.wait({ id: task.id })).exitStatus, 137);
    await assert.rejects(task.task.kill({ id: task.id, signal: 9 }), { name: "NotFound" });
    await assert.rejects(task.task.kill({ id: "other", signal: 9 }), {
      name: "NotFound",
      message: "container not created: not found",
    });
    assert.deepEqual(await task.finish(), []);
  });

  it("says why the runtime refused, and takes everything back", async () => {
    const task = make({ args: ["nosuch"] });
    await task.boot();
    await assert.rejects(task.create({ stdout: task.logUri() }), {
      name: "Unknown",
      message:
        /^OCI runtime create failed: (runc create failed: )?unable to start container process: (error during container init: )?exec: "nosuch": executable file not found in \$PATH$/,
    });
    await assert.rejects(task.task.state({ id: task.id }), { name: "NotFound" });
    assert.deepEqual(await task.finish(), []);
  });

  it("runs execs with their own exit codes and streams", async () => {
    const task = make({ args: ["sleep", "1000"] });
    await task.run({ stdout: task.logUri() });
    const uri = `longshore://?attach=${task.attachPath}`;
    await exec(task, "e1", "cat; echo err >&2; exit 7", { stdin: uri, stdout: uri, stderr: uri });
    await assert.rejects(exec(task, "e1", "true"), { name: "AlreadyExists" });
    const client = await task.attach({ process: "e1", stdin: true, stdout: true, stderr: true });
    assert.deepEqual(await client.reply(), { terminal: false });
    const { pid } = await task.task.start({ id: task.id, execId: "e1" });
    assert.ok(
      (await task.task.pids({ id: task.id })).processes.some(
        (p) => p.pid === pid && p.info?.typeUrl === "containerd.runc.v1.ProcessDetails",
      ),
    );
    client.socket.end("typed\n");
    await client.ended;
    assert.deepEqual(client.frames, { stdout: "typed\n", stderr: "err\n" });
    assert.equal((await harness.exitOf("e1")).exitStatus, 7);
    const gone = await task.task.delete({ id: task.id, execId: "e1" });
    assert.deepEqual([gone.pid, gone.exitStatus], [pid, 7]);
    await assert.rejects(task.task.state({ id: task.id, execId: "e1" }), { name: "NotFound" });
    await exec(task, "e2", "true", {});
    await task.task.kill({ id: task.id, signal: 9 });
    await harness.exitOf(task.id);
    await assert.rejects(task.task.start({ id: task.id, execId: "e2" }), { name: "FailedPrecondition" });
    assert.deepEqual(await task.finish(), []);
  });

  it("explains an exec that cannot start", async () => {
    const task = make({ args: ["sleep", "1000"] });
    await task.run();
    await task.task.exec({
      id: task.id,
      execId: "bad",
      spec: {
        typeUrl: "p",
        value: Buffer.from(
          JSON.stringify({ user: { uid: 0, gid: 0 }, args: ["nosuch"], env: ["PATH=/bin"], cwd: "/" }),
        ),
      },
    });
    await assert.rejects(task.task.start({ id: task.id, execId: "bad" }), {
      message:
        /^OCI runtime exec failed: exec failed: unable to start container process: exec: "nosuch": executable file not found in \$PATH$/,
    });
    await task.task.delete({ id: task.id, execId: "bad" });
    await task.task.kill({ id: task.id, signal: 9 });
    await task.task.wait({ id: task.id });
    assert.deepEqual(await task.finish(), []);
  });

  it("serves a terminal with resize", async () => {
    const task = sh("read go; stty size; read end", { terminal: true });
    await task.boot();
    const uri = task.logUri();
    await task.create({ stdin: uri, stdout: uri, terminal: true });
    const client = await task.attach({ process: "", stdin: true, stdout: true, stderr: true });
    assert.deepEqual(await client.reply(), { terminal: true });
    await task.task.start({ id: task.id });
    await task.task.resizePty({ id: task.id, width: 132, height: 43 });
    client.socket.write("go\n");
    await client.until((data) => data.includes("43 132\r\n"));
    client.socket.write("end\n");
    await client.ended;
    assert.equal((await harness.exitOf(task.id)).exitStatus, 0);
    assert.equal(
      task
        .records()
        .map((r) => r.log)
        .join(""),
      "go\r\n43 132\r\nend\r\n",
    );
    assert.deepEqual(await task.finish(), []);
  });

  it("ends stdin by CloseIO", async () => {
    const task = make({ args: ["cat"] });
    const uri = task.logUri();
    await task.run({ stdin: uri, stdout: uri, stderr: uri });
    const client = await task.attach({ process: "", stdin: true, stdout: true });
    client.socket.end("one\n");
    await client.until((data) => data.includes("one\n"));
    await task.task.closeIO({ id: task.id, stdin: true });
    assert.equal((await harness.exitOf(task.id)).exitStatus, 0);
    assert.deepEqual(
      task.records().map((r) => r.log),
      ["one\n"],
    );
    assert.deepEqual(await task.finish(), []);
  });

  it("speaks FIFOs as ctr uses them", async () => {
    const task = make({ args: ["cat"] });
    const [stdin, stdout] = [join(harness.dir, `${task.id}-stdin`), join(harness.dir, `${task.id}-stdout`)];
    for (const path of [stdin, stdout]) mkfifo(path, 0o600);
    const output = import("node:fs/promises").then((fs) => fs.readFile(stdout));
    await task.run({ stdin, stdout });
    const text = "0123456789abcde\n".repeat(40_000);
    await import("node:fs/promises").then((fs) => fs.writeFile(stdin, text));
    await task.task.closeIO({ id: task.id, stdin: true });
    assert.equal((await output).toString(), text);
    assert.equal((await harness.exitOf(task.id)).exitStatus, 0);
    assert.deepEqual(await task.finish(), []);
  });

  it("appends to files and starts logging binaries", async () => {
    const file = sh("echo out; echo err >&2");
    const path = join(harness.dir, "new/folder/out.log");
    await file.run({ stdout: `file://${path}`, stderr: `file://${path}` });
    await harness.exitOf(file.id);
    assert.deepEqual(readFileSync(path, "utf8").split("\n").toSorted(), ["", "err", "out"]);
    assert.deepEqual(await file.finish(), []);

    const logger = join(harness.dir, "logger");
    writeFileSync(
      logger,
      `#!/bin/sh\nexec 5>&-\n{ echo "$CONTAINER_ID $CONTAINER_NAMESPACE $*"; cat <&3; } > ${harness.dir}/logged\n: > ${harness.dir}/done\n`,
      { mode: 0o755 },
    );
    const binary = sh("echo to the logger");
    const uri = `binary://${logger}?a=1&b=2`;
    await binary.run({ stdout: uri, stderr: uri });
    await harness.exitOf(binary.id);
    assert.deepEqual(await binary.finish(), []);
    while (!existsSync(join(harness.dir, "done"))) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(readFileSync(join(harness.dir, "logged"), "utf8"), `${binary.id} test a 1 b 2\nto the logger\n`);
  });

  it("keeps a log through rotation and compression under load", async () => {
    const task = sh("yes 0123456789012345678901234567890123456789 | head -c 64m; printf tail");
    await task.run({ stdout: task.logUri({ "max-size": "20000000", "max-file": "3", compress: "true" }) });
    await harness.exitOf(task.id);
    const files = readdirSync(task.bundle)
      .filter((name) => name.startsWith("x.log") && !name.endsWith(".tmp"))
      .toSorted();
    assert.deepEqual(
      files.map((name) => name.replace(".gz", "")),
      ["x.log", "x.log.1", "x.log.2"],
    );
    assert.equal(files[2], "x.log.2.gz");
    const older = gunzipSync(readFileSync(join(task.bundle, files[2]!)))
      .toString()
      .split("\n")
      .slice(0, -1);
    assert.ok(
      older.length > 100_000 &&
        older.every((line) =>
          line.startsWith('{"log":"0123456789012345678901234567890123456789\\n","stream":"stdout","time":"'),
        ),
    );
    assert.match(task.records().at(-1)!.log, /^[0-9]*tail$/);
    while (!existsSync(join(task.bundle, "x.log.1.gz")) || existsSync(join(task.bundle, "x.log.1")))
      await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(await task.finish(), []);
  });

  it("has everything in the log when the exit is told, whatever its clients do", async () => {
    const task = sh("read go; seq 1 100000");
    const uri = task.logUri();
    await task.run({ stdin: uri, stdout: uri });
    const [slow, gone, good] = [
      await task.attach({ stdout: true }),
      await task.attach({ stdout: true }),
      await task.attach({ stdin: true, stdout: true }),
    ];
    for (const client of [slow, gone, good]) await client.reply();
    slow.socket.pause();
    good.socket.write("go\n");
    await good.until((data) => data.length > 10_000);
    gone.socket.destroy();
    slow.socket.resume();
    await harness.exitOf(task.id);
    assert.equal(task.records().length, 100_000);
    await good.ended;
    await slow.ended;
    assert.equal(good.frames.stdout.length, 588_895);
    assert.equal(slow.frames.stdout.length, 588_895);
    assert.deepEqual(await task.finish(), []);
  });

  it("does not hold the exit back for a stalled client or a grandchild", async () => {
    const task = make({ args: ["sleep", "1000"] });
    await task.run({ stdout: task.logUri() });
    const uri = `longshore://?attach=${task.attachPath}`;
    await exec(task, "parent", "seq 1 50000; sleep 1000 &", { stdout: uri, stderr: uri });
    const [client, stalled] = [
      await task.attach({ process: "parent", stdout: true }),
      await task.attach({ process: "parent", stdout: true }),
    ];
    for (const each of [client, stalled]) await each.reply();
    stalled.socket.pause();
    await task.task.start({ id: task.id, execId: "parent" });
    assert.equal((await harness.exitOf("parent")).exitStatus, 0);
    await client.ended;
    assert.match(client.frames.stdout, /\n50000\n$/);
    stalled.socket.resume();
    await stalled.ended;
    assert.equal(stalled.frames.stdout, client.frames.stdout);
    await task.task.kill({ id: task.id, signal: 9 });
    await harness.exitOf(task.id);
    await task.task.delete({ id: task.id, execId: "parent" });
    assert.deepEqual(await task.finish(), []);
  });

  it("refuses attach to what is not there", async () => {
    const task = make({ args: ["sleep", "1000"] });
    await task.run({ stdout: task.logUri() });
    for (const [greeting, code] of [
      [{ process: "nosuch" }, 5],
      [[1], 0],
      ["x", 3],
    ] as const) {
      const client = await task.attach(greeting as object);
      const reply = (await client.reply()) as { code?: number };
      assert.equal(reply.code ?? 0, code);
      client.socket.destroy();
    }
  });

  it("reaps orphans", async () => {
    const task = sh("(sleep 0.01 &) ; read go");
    const uri = task.logUri();
    const pid = await task.run({ stdin: uri, stdout: uri });
    await exec(task, "e", "(sleep 0.05; exit 5) & exit 0");
    await task.task.start({ id: task.id, execId: "e" });
    await harness.exitOf("e");
    const { shimPid } = await task.task.connect({ id: task.id });
    const children = (): string[] =>
      readFileSync(`/proc/${shimPid}/task/${shimPid}/children`, "utf8").trim().split(" ").filter(Boolean);
    while (children().some((child) => child !== String(pid))) await new Promise((resolve) => setImmediate(resolve));
    await task.task.kill({ id: task.id, signal: 9 });
    await harness.exitOf(task.id);
    assert.deepEqual(await task.finish(), []);
  });

  it("ends what shared the pid namespace with init", async () => {
    const task = sh("sleep 1000 & exit 4", { hostPid: true });
    await task.run();
    assert.equal((await harness.exitOf(task.id)).exitStatus, 4);
    assert.deepEqual(await task.finish(), []);
  });

  it("pauses, resumes, updates and measures", async () => {
    const task = make({ args: ["sleep", "1000"], limits: { pids: { limit: 50 }, memory: { limit: 50 << 20 } } });
    await task.run();
    await task.task.pause({ id: task.id });
    assert.equal((await task.task.state({ id: task.id })).status, 4);
    await assert.rejects(task.task.pause({ id: task.id }), { name: "Unknown" });
    await task.task.resume({ id: task.id });
    await task.task.update({
      id: task.id,
      resources: {
        typeUrl: "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources",
        value: Buffer.from('{"pids":{"limit":77}}'),
      },
    });
    const { stats } = await task.task.stats({ id: task.id });
    const schema = stats!.typeUrl.includes(".v1.")
      ? (await import("@longshore/proto/io/containerd/cgroups/v1/cgroups")).MetricsSchema
      : (await import("@longshore/proto/io/containerd/cgroups/v2/cgroups")).MetricsSchema;
    const metrics = fromBinary(
      schema as typeof import("@longshore/proto/io/containerd/cgroups/v1/cgroups").MetricsSchema,
      stats!.value,
    );
    assert.equal(metrics.pids!.limit, 77n);
    await task.task.pause({ id: task.id });
    await task.task.kill({ id: task.id, signal: 9 });
    assert.equal((await harness.exitOf(task.id)).exitStatus, 137);
    assert.deepEqual(await task.finish(), []);
  });

  it("tells when the kernel ran out of memory", async () => {
    const task = sh(
      "read go; head -c 200m /dev/zero | tail -c 190000000 | cat > /dev/null; dd if=/dev/zero of=/dev/null bs=200M count=1",
      { limits: { memory: { limit: 20 << 20, swap: 20 << 20 } } },
    );
    const uri = task.logUri();
    await task.run({ stdin: uri, stdout: uri, stderr: uri });
    const client = await task.attach({ stdin: true });
    client.socket.write("go\n");
    await harness.event("/tasks/oom", TaskOOMSchema, (e) => e.containerId === task.id);
    await harness.exitOf(task.id);
    assert.deepEqual(await task.finish(), []);
  });

  it("tells the exit when containerd comes back", async () => {
    const task = sh("read go; exit 9");
    const uri = task.logUri();
    await task.run({ stdin: uri, stdout: uri });
    await harness.event("/tasks/start", TaskStartSchema, (e) => e.containerId === task.id);
    await harness.silence();
    const client = await task.attach({ stdin: true });
    client.socket.write("go\n");
    assert.equal((await task.task.wait({ id: task.id })).exitStatus, 9);
    await harness.listen();
    assert.equal((await harness.exitOf(task.id)).exitStatus, 9);
    assert.deepEqual(await task.finish(), []);
  });

  it("lets delete tell the truth after the shim was killed", async () => {
    for (const [script, status] of [
      ["exit 6", 6],
      ["exec sleep 1000", 137],
    ] as const) {
      const task = sh(script);
      const pid = await task.run({ stdout: task.logUri() });
      if (status === 6) await harness.exitOf(task.id);
      const { shimPid } = await task.task.connect({ id: task.id });
      process.kill(shimPid, "SIGKILL");
      await task.connection.closed;
      while (alive(shimPid)) await new Promise((resolve) => setImmediate(resolve));
      const { exitStatus, pid: told } = task.shimDelete();
      assert.deepEqual([exitStatus, told], [status, pid]);
      assert.equal(alive(pid), false);
      assert.deepEqual(
        task.leftovers().filter((name) => !["init.pid", "options.json", "runtime", "attach"].includes(name)),
        [],
      );
    }
  });

  it("waits for a task and serves it itself, and ends when it is let go", async () => {
    const task = sh("exit 3");
    assert.equal(await (await task.prepare(false)).status, 0);
    const { pid, output, status } = await task.prepare();
    assert.match(
      readFileSync(`/proc/${pid}/cmdline`, "utf8"),
      new RegExp(`shim-longshore-v2\0-namespace\0test\0-id\0${task.id}\0`),
    );
    assert.equal(await task.boot(), output);
    await task.create();
    await task.task.start({ id: task.id });
    assert.equal((await harness.exitOf(task.id)).exitStatus, 3);
    assert.deepEqual(await task.finish(), []);
    assert.equal(await status, 0);
  });

  it("takes and sends messages that exceed a socket's buffer", async () => {
    const task = sh("exit 0");
    await task.run();
    const execId = "x".repeat(3 << 20);
    await assert.rejects(task.task.state({ id: task.id, execId }), (error: Error) =>
      error.message.includes(`process does not exist ${execId}`),
    );
    assert.deepEqual(await task.finish(), []);
  });

  it("gives memory back when nobody asks for anything", async () => {
    const task = make({ args: ["sleep", "1000"] });
    await task.run();
    const { shimPid } = await task.task.connect({ id: task.id });
    const resident = (): number =>
      Number(/^Rss: +(\d+)/m.exec(readFileSync(`/proc/${shimPid}/smaps_rollup`, "utf8"))![1]);
    const before = resident();
    while (resident() > before * 0.7) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal((await task.task.state({ id: task.id })).status, Status.RUNNING);
    await task.task.kill({ id: task.id, signal: 9 });
    await harness.exitOf(task.id);
    assert.deepEqual(await task.finish(), []);
  });

  it("serves a group in one process, and answers each kind of start", async () => {
    const annotations = { "io.kubernetes.cri.sandbox-id": "pod" };
    const [first, second] = [make({ args: ["sleep", "1000"], annotations }), sh("exit 2", { annotations })];
    const params = create(BootstrapParamsSchema, {
      instanceId: first.id,
      namespace: "test",
      containerdTtrpcAddress: harness.ttrpcAddress,
    });
    const output = await first.boot(toBinary(BootstrapParamsSchema, params));
    const result = fromBinary(BootstrapResultSchema, Buffer.from(output));
    assert.deepEqual([result.version, result.address, result.protocol], [3, first.address, "ttrpc"]);
    assert.deepEqual(JSON.parse(await second.boot()), { version: 3, address: first.address, protocol: "ttrpc" });
    await first.create();
    await second.create();
    await second.task.start({ id: second.id });
    assert.equal((await harness.exitOf(second.id)).exitStatus, 2);
    await second.task.delete({ id: second.id });
    await second.task.shutdown({ id: second.id });
    assert.equal((await first.task.state({ id: first.id })).status, 1);
    await first.task.kill({ id: first.id, signal: 9 });
    assert.deepEqual(await first.finish(), []);
  });
});
