import assert from "node:assert/strict";
import { once } from "node:events";
import { type Socket, connect, createServer } from "node:net";
import type { CallName } from "@longshore/containerd-client/testing";
import { Unavailable } from "@longshore/errdefs";
import type { Container } from "../model/container.ts";
import { killContainer } from "../lifecycle/stop/kill.ts";
import { startContainer } from "../lifecycle/start/start.ts";
import { DirectConnection } from "../attach/direct-connection.ts";
import { attachSocket } from "../attach/stdio.ts";
import { World } from "../testing/world.ts";
import { createExec, findExec, startExec } from "./exec.ts";
import type { Exec } from "./exec-record.ts";
import { serveExec } from "./serve.ts";

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

  it("is over for its client when its code is known, though nothing was left to hand over", async () => {
    const exec = await created();
    const path = attachSocket(world.context, container.id);
    const shim = createServer((socket) => {
      socket.once("data", () => socket.write(`${JSON.stringify({ terminal: false, handover: true })}\n`));
    }).listen(path);
    const accepted = Promise.withResolvers<Socket>();
    const engine = createServer(accepted.resolve).listen(`${path}.client`);
    const client = connect(`${path}.client`).resume();
    const { handOver } = DirectConnection.prototype;
    const refused = Promise.withResolvers<void>();
    DirectConnection.prototype.handOver = () => {
      refused.resolve();
      return Promise.reject(new Error("a side of the connection has closed"));
    };
    try {
      const served = serveExec(world.context, exec, await accepted.promise, true);
      const seen = once(client, "end").then(() => exec.exitCode);
      await refused.promise;
      // Whoever does not wait for the code ends the connection before these have passed.
      for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
      world.containerd.exit(container.id, 3, exec.id);
      await served;
      assert.equal(await seen, 3);
    } finally {
      DirectConnection.prototype.handOver = handOver;
      client.destroy();
      (await accepted.promise).destroy();
      for (const server of [shim, engine]) server.close();
    }
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
