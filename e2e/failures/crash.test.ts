import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { shared } from "../engine/shared.ts";
import { processesOf } from "../host/state.ts";
import { until } from "../host/until.ts";

const counter = ["busybox", "sh", "-c", "i=0; while :; do echo $i; i=$((i+1)); sleep 0.01; done"];

/** Asserts that `text` is 0, 1, 2, … without a gap, and gives how many there are. */
function assertCounts(text: string): number {
  const lines = text.split("\n");
  for (const [index, line] of lines.entries()) assert.equal(line, String(index), `line ${index} of ${lines.length}`);
  return lines.length;
}

describe("daemons killed with SIGKILL", () => {
  const name = "e2e-crash";
  const names = [name, `${name}-ends`, `${name}-restarts`, `${name}-web`];
  afterEach(() => shared.docker(["rm", "-f", "-v", ...names]));

  it("both at once: containers run on, no number is missing, exit codes are true", async () => {
    await shared.ok(["run", "-d", "--name", name, "-p", "127.0.0.1::80", ...counter]);
    await shared.ok([
      "run",
      "-d",
      "--name",
      `${name}-ends`,
      "busybox",
      "sh",
      "-c",
      "until [ -e /end ]; do sleep 0.1; done; echo last words; exit 23",
    ]);
    await shared.ok([
      "run",
      "-d",
      "--name",
      `${name}-restarts`,
      "--restart",
      "always",
      "busybox",
      "sh",
      "-c",
      "sleep 1; exit 1",
    ]);
    const pid = await shared.ok(["inspect", "-f", "{{.State.Pid}}", name]);
    const ending = Number(await shared.ok(["inspect", "-f", "{{.State.Pid}}", `${name}-ends`]));

    await shared.engine.kill();
    await shared.containerd.kill();
    writeFileSync(`/proc/${ending}/root/end`, "");
    await until("the other container ends while nobody looks", () => !processExists(ending));
    await shared.containerd.start();
    await shared.engine.start();

    assert.equal(await shared.ok(["inspect", "-f", "{{.State.Pid}} {{.State.Running}}", name]), `${pid} true`);
    const running = (await shared.ok(["ps", "--format", "{{.Names}}"])).split("\n");
    assert.ok(running.includes(name) && !running.includes(`${name}-ends`), running.join(" "));
    assert.equal(
      await shared.ok(["inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", `${name}-ends`]),
      "exited 23",
    );
    assert.equal(await shared.ok(["wait", `${name}-ends`]), "23");
    assert.equal(await shared.ok(["logs", `${name}-ends`]), "last words");
    await until(
      "the restart policy is applied again",
      async () => Number(await shared.ok(["inspect", "-f", "{{.RestartCount}}", `${name}-restarts`])) > 0,
    );

    const first = assertCounts(await shared.ok(["logs", name]));
    await until("it goes on counting", async () => assertCounts(await shared.ok(["logs", name])) > first);
    assert.equal(await shared.ok(["exec", name, "echo", "exec works"]), "exec works");
    await shared.ok(["stop", "-t", "0", name]);
    assert.equal(await shared.ok(["inspect", "-f", "{{.State.ExitCode}}", name]), "137");
  });

  for (const signal of ["kill", "stop"] as const) {
    it(`the shim that waits for a task ends with its containerd (${signal})`, async () => {
      await shared.ok(["run", "--rm", "busybox", "true"]);
      const waiting = (): number =>
        processesOf(`${shared.dir}/containerd.sock`).filter((each) => / prepare -+$/.test(each)).length;
      await until("a shim waits", () => waiting() === 1);
      await shared.containerd[signal]();
      await until("no shim waits", () => waiting() === 0);
      await shared.containerd.start();
      assert.equal(
        await until("the engine runs containers again", () => shared.ok(["run", "--rm", "busybox", "echo", "again"])),
        "again",
      );
    });
  }

  it("each alone, several times, under a follower that is back at once", async () => {
    await shared.ok(["run", "-d", "--name", name, ...counter]);
    for (const daemon of [shared.engine, shared.containerd, shared.engine, shared.containerd]) {
      const before = assertCounts(await shared.ok(["logs", name]));
      await daemon.kill();
      await daemon.start();
      await until("logs go on", async () => assertCounts(await shared.ok(["logs", name])) > before);
      assert.equal(await until("exec works", () => shared.ok(["exec", name, "echo", "here"])), "here");
    }
    await shared.ok(["rm", "-f", name]);
  });

  it("a removal that containerd's absence cut short is finished when it is back, and keeps the volumes that it was not to take", async () => {
    for (const [container, options] of [
      [name, []],
      [`${name}-ends`, ["--rm"]],
    ] as const)
      await shared.ok(["create", "--name", container, "-v", "/anonymous", ...options, "busybox", "true"]);
    const volumeOf = (container: string): Promise<string> =>
      shared.ok(["inspect", "-f", "{{(index .Mounts 0).Name}}", container]);
    const [kept, taken] = [await volumeOf(name), await volumeOf(`${name}-ends`)];
    await shared.containerd.kill();
    assert.notEqual((await shared.docker(["rm", name])).code, 0);
    assert.notEqual((await shared.docker(["rm", "-v", `${name}-ends`])).code, 0);
    await shared.containerd.start();
    await until(
      "the containers are gone",
      async () => (await shared.ok(["ps", "-aq", "--filter", `name=${name}`])) === "",
    );
    const volumes = (await shared.ok(["volume", "ls", "-q"])).split("\n");
    assert.deepEqual([volumes.includes(kept), volumes.includes(taken)], [true, false]);
    await shared.ok(["volume", "rm", kept]);
  });

  it("a shim that is killed: its container is reported as ended and can be removed", async () => {
    const id = await shared.ok(["run", "-d", "--name", name, "busybox", "sleep", "300"]);
    const pid = Number(await shared.ok(["inspect", "-f", "{{.State.Pid}}", name]));
    process.kill(await parentOf(pid), "SIGKILL");
    await until(
      "it is reported as ended",
      async () => (await shared.ok(["inspect", "-f", "{{.State.Status}}", name])) === "exited",
    );
    assert.notEqual(await shared.ok(["inspect", "-f", "{{.State.ExitCode}}", name]), "0");
    await until("its process is gone", () => !processExists(pid));
    await shared.ok(["start", name]);
    assert.equal(await shared.ok(["inspect", "-f", "{{.Id}} {{.State.Running}}", name]), `${id} true`);
  });
});

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function parentOf(pid: number): Promise<number> {
  const { readFile } = await import("node:fs/promises");
  return Number(/^PPid:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1]);
}
