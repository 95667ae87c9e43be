import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { importBusybox } from "../engine/busybox.ts";
import { Longshore } from "../engine/longshore.ts";
import { type ShimFaultGroup, ShimFaults, shimFaultGroups } from "../host/shim-faults.ts";
import { until } from "../host/until.ts";

/** Calls that fail at a time: few let a request come far, many let nothing through. */
const counts = [2, 12];

describe("system calls of the shim that fail", function () {
  this.bail(true);
  const longshore = new Longshore({ bridge: `lsh${process.pid}`, address: `10.216.${process.pid % 250}.1/24` });
  const { api } = longshore;
  const faults = new ShimFaults(longshore.dir);
  let shim = 0;

  before(async function () {
    this.timeout(60_000);
    await faults.build();
    writeFileSync(
      join(longshore.dir, "daemon.json"),
      JSON.stringify({ runtimes: { faulty: { runtimeType: faults.path } }, "default-runtime": "faulty" }),
    );
    await longshore.start();
    await importBusybox(longshore);
    const steady = await run("i=0; while :; do echo line $i; i=$((i+1)); usleep 50000; done", "steady");
    const { Pid } = (await api.inspect(steady)).State;
    shim = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${Pid}/status`, "utf8"))?.[1]);
  });
  after(async function () {
    this.timeout(60_000);
    faults.disarm();
    for (const { Id } of await api.get<{ Id: string }[]>("/containers/json?all=1"))
      await api.ask("DELETE", `/containers/${Id}?force=1`);
    await longshore.dispose();
    faults.close();
  });

  const made = (script: string, name?: string): Promise<string> =>
    api.create(
      { Image: "busybox", Cmd: ["sh", "-c", script], OpenStdin: true, HostConfig: { NetworkMode: "none" } },
      name,
    );

  async function run(script: string, name?: string): Promise<string> {
    const id = await made(script, name);
    await api.call("POST", `/containers/${id}/start`);
    return id;
  }

  const text = (lines: number): string => Array.from({ length: lines }, (_, i) => `line ${i}\n`).join("");
  const printing = (lines: number, from = 0): string =>
    `i=${from}; while [ $i -lt ${lines} ]; do echo line $i; i=$((i+1)); done; exit 7`;

  /** Whether a log is whole; where writing failed, what is there has its order, and whole lines. */
  function checkLog(log: string, lines: number, group: ShimFaultGroup): void {
    if (group !== "write")
      return assert.ok(
        log === text(lines),
        `${group}: a log of ${log.length} characters, ${JSON.stringify(log.slice(-80))}`,
      );
    const numbers = log
      .split("\n")
      .slice(0, -1)
      .map((line) => Number(/^line (\d+)$/.exec(line)?.[1]));
    assert.ok(
      numbers.every((number, i) => i === 0 || number > numbers[i - 1]!),
      log,
    );
  }

  /** A container that is there before, and prints and ends while calls fail. */
  async function ends(group: ShimFaultGroup): Promise<() => Promise<void>> {
    const id = await run(`echo line 0; read go; ${printing(200, 1)}`);
    const attached = await api.attach(id, "logs=1&stream=1&stdin=1&stdout=1");
    await until("the client is attached", () => attached.output !== "");
    return async () => {
      attached.socket.write("go\n");
      const code = await api.wait(id);
      assert.equal(code, 7);
      await attached.ended;
      const { output } = attached;
      assert.ok(
        output === text(200),
        `${group}: a client got ${output.length} characters, ${JSON.stringify(output.slice(-80))}`,
      );
      checkLog(await api.logs(id), 200, group);
      await removed(id);
    };
  }

  /** One that has to be killed while calls fail. */
  async function killed(): Promise<() => Promise<void>> {
    const id = await run("sleep 1000");
    return async () => {
      await until("it can be killed", async () => (await api.ask("POST", `/containers/${id}/kill`)).status < 500);
      assert.equal(await api.wait(id), 137);
      await removed(id);
    };
  }

  /** What fails leaves a container that can be removed, at the latest when calls do not fail any more. */
  async function removed(id: string): Promise<void> {
    const { status, body } = await api.ask("DELETE", `/containers/${id}?force=1`);
    if (status === 204) return;
    assert.notEqual(JSON.parse(body.toString()).message, "", "an error says what it is");
    left.push(id);
  }
  const left: string[] = [];

  /** A container's whole life: it fails with a message, or it is whole. */
  async function life(group: ShimFaultGroup): Promise<void> {
    const id = await made(printing(20));
    const started = await api.ask("POST", `/containers/${id}/start`);
    if (started.status < 300) {
      assert.equal(await api.wait(id), 7);
      checkLog(await api.logs(id), 20, group);
    } else {
      const { message } = JSON.parse(started.body.toString()) as { message: string };
      assert.match(message, /\S/);
      const { State } = await api.inspect(id);
      assert.ok(!State.Running, `${group}: it runs, but start said ${message}`);
    }
    await removed(id);
  }

  async function execs(): Promise<void> {
    const made = await api.ask("POST", "/containers/steady/exec", {
      Cmd: ["sh", "-c", "echo inside; exit 9"],
      AttachStdout: true,
    });
    if (made.status !== 201) return;
    const { Id } = JSON.parse(made.body.toString()) as { Id: string };
    const { status, body } = await api.ask("POST", `/exec/${Id}/start`, {});
    const state = await api.get<{ Running: boolean; ExitCode: number | null }>(`/exec/${Id}/json`);
    assert.equal(state.Running, false);
    if (status === 200 && state.ExitCode === 9) assert.match(body.toString("latin1"), /inside\n$/);
    else assert.match(body.toString("latin1"), /\S/, `exec said nothing and ended with ${state.ExitCode}`);
  }

  const looks = async (): Promise<void> => {
    for (const path of ["top", "stats?stream=0&one-shot=1", "logs?stdout=1&tail=2"])
      await api.ask("GET", `/containers/steady/${path}`);
    for (const path of ["pause", "unpause", "resize?h=10&w=10", "kill?signal=WINCH"])
      await api.ask("POST", `/containers/steady/${path}`);
    await until("it is not paused", async () => {
      const { Status } = (await api.inspect("steady")).State;
      return Status === "running" || ((await api.ask("POST", "/containers/steady/unpause")) && false);
    });
  };

  for (const group of shimFaultGroups) {
    it(`${group}: no line, exit code or container is lost`, async function () {
      this.timeout(90_000);
      for (const count of counts) {
        const before = await Promise.all([ends(group), killed()]);
        faults.arm(group, count);
        await Promise.all([...before.map((go) => go()), life(group), execs(), looks()]);
        faults.disarm();
        for (const id of left.splice(0)) await api.call("DELETE", `/containers/${id}?force=1`);
        assert.equal(await api.wait(await run("exit 5")), 5);
        process.kill(shim, 0);
      }
      const tasks = await api.containerd.tasks.list({ filter: "" });
      assert.equal(tasks.tasks.length, 1, "containerd's tasks");
    });
  }

  it("the container that was there all the time has lost nothing, and its shim serves", async () => {
    const lines = (await api.logs("steady")).split("\n").slice(0, -1);
    const numbers = lines.map((line) => Number(/^line (\d+)$/.exec(line)?.[1]));
    assert.ok(numbers.length > 50 && numbers.every((number, i) => i === 0 || number > numbers[i - 1]!));
    // Only records that could not be written may be missing: at most as many as calls that were to fail.
    assert.ok(
      numbers.at(-1)! + 1 - numbers.length <= counts.reduce((sum, count) => sum + count, 0),
      String(numbers.length),
    );
    const { State, RestartCount } = await api.inspect("steady");
    assert.deepEqual([State.Status, RestartCount], ["running", 0]);
    assert.equal((await longshore.docker(["exec", "steady", "sh", "-c", "exit 3"])).code, 3);
  });
});
