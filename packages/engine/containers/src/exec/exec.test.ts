import assert from "node:assert/strict";
import type { CallName } from "@longshore/containerd-client/testing";
import { Unavailable } from "@longshore/errdefs";
import type { Container } from "../model/container.ts";
import { killContainer } from "../lifecycle/stop/kill.ts";
import { startContainer } from "../lifecycle/start/start.ts";
import { World } from "../testing/world.ts";
import { createExec, findExec, startExec } from "./exec.ts";
import type { Exec } from "./exec-record.ts";

const calls: CallName[] = ["tasks.exec", "tasks.start"];
const config = {
  attachStdin: false,
  attachStdout: true,
  attachStderr: true,
  tty: false,
  detachKeys: "",
  env: [],
  cmd: ["/run", "it"],
  privileged: false,
  user: "",
  workingDir: "",
};

describe("an exec", () => {
  let world: World;
  let container: Container;
  beforeEach(async () => {
    world = new World();
    world.follow();
    container = await world.create();
    // No process of the machine has the fake's numbers; this one lives as long as the test.
    world.containerd.behaviour.pid = () => process.pid;
    await startContainer(world.context, container);
    world.events.length = 0;
  });
  afterEach(() => world.end());

  async function created(): Promise<Exec> {
    return findExec(world.context, await createExec(world.context, container, config));
  }
  const there = (): number => world.containerd.task(container.id).execs.size;

  it("ends with its code, and nothing of it is kept in containerd", async () => {
    const exec = await created();
    await startExec(world.context, exec, undefined);
    assert.ok(exec.running);
    world.containerd.exit(container.id, 7, exec.id);
    assert.equal(await exec.ended, 7);
    while (there() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(world.events, ["exec_create: /run it", "exec_start: /run it", "exec_die"]);
    await assert.rejects(startExec(world.context, exec, undefined), /has already run/);
  });

  for (const name of calls)
    for (const done of [false, true])
      it(`leaves nothing in containerd when ${name} ${done ? "is done and its answer lost" : "fails"}`, async () => {
        const exec = await created();
        world.containerd.faults.fail(name, new Unavailable("gone"), { done });
        await assert.rejects(startExec(world.context, exec, undefined), /gone/);
        assert.deepEqual(world.containerd.faults.pending, []);
        assert.equal(there(), 0);
        assert.equal(exec.running, false);
        assert.ok([126, 128].includes(await exec.ended));
        assert.ok(container.alive);
        const next = await created();
        await startExec(world.context, next, undefined);
        assert.ok(next.running);
      });

  it("ends with its container, and cannot be started after it", async () => {
    const [running, idle] = [await created(), await created()];
    await startExec(world.context, running, undefined);
    await killContainer(world.context, world.context.store, container.id, "");
    assert.equal(await running.ended, 137);
    assert.throws(() => findExec(world.context, idle.id), /No such exec instance/);
    await assert.rejects(startExec(world.context, idle, undefined), /is not running/);
    await assert.rejects(created(), /is not running/);
  });
});
