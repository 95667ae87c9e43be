import assert from "node:assert/strict";
import { Unavailable, Unknown } from "@longshore/errdefs";
import type { Container } from "../../model/container.ts";
import { World } from "../../testing/world.ts";
import { finishRemovals } from "../remove/removals.ts";
import { removeContainer } from "../remove/remove.ts";
import { startContainer } from "../start/start.ts";
import { restartContainer, stopContainer } from "../stop/stop.ts";
import { killContainer } from "../stop/kill.ts";

const asItIs = { signal: "", timeout: undefined };
const policy = (Name: "no" | "always" | "on-failure" | "unless-stopped", MaximumRetryCount = 0) => ({
  RestartPolicy: { Name, MaximumRetryCount },
});

describe("the end of a container", () => {
  let world: World;
  beforeEach(() => {
    world = new World();
    world.follow();
  });
  afterEach(() => world.end());

  async function started(more: Parameters<World["create"]>[0] = {}): Promise<Container> {
    const container = await world.create(more);
    await startContainer(world.context, container);
    world.events.length = 0;
    return container;
  }

  /** Nothing of a run is there any more, and all of the container. */
  function assertEnded({ id, record }: Container, code: number): void {
    const { tasks, sandboxes, mountedVolumes, mounts, places, records, snapshots } = world.left();
    const none = { tasks, sandboxes, mountedVolumes, mounts, places };
    assert.deepEqual(none, { tasks: [], sandboxes: [], mountedVolumes: [], mounts: [], places: [] });
    assert.deepEqual([records, snapshots], [[id], [id]]);
    const { Running, Pid, ExitCode } = record.State;
    assert.deepEqual({ Running, Pid, ExitCode }, { Running: false, Pid: 0, ExitCode: code });
  }

  it("gives back what the run had, and keeps the code", async () => {
    const container = await started();
    const waited = container.wait("not-running");
    world.containerd.exit(container.id, 3);
    assert.deepEqual(await waited, { StatusCode: 3 });
    assertEnded(container, 3);
    assert.deepEqual(world.events, ["die"]);
  });

  it("comes by stop and by kill, once", async () => {
    for (const [end, code, events] of [
      [(it: Container) => stopContainer(world.context, it, asItIs), 143, ["kill", "die", "stop"]],
      [(it: Container) => killContainer(world.context, world.context.store, it.id, ""), 137, ["kill", "die"]],
    ] as const) {
      const container = await started();
      await end(container);
      assertEnded(container, code);
      assert.deepEqual(world.events, events);
      await removeContainer(world.context, container, { force: false, removeVolumes: true });
    }
  });

  it("comes by SIGKILL when the stop signal is not obeyed in time", async () => {
    const container = await started();
    world.containerd.behaviour.onSignal = (_process, signal) => (signal === 9 ? 137 : undefined);
    await stopContainer(world.context, container, { signal: "", timeout: 0 });
    assertEnded(container, 137);
    assert.deepEqual(world.events, ["kill", "kill", "die", "stop"]);
  });

  it("is told though giving back fails, and what is left goes with the next start and the removal", async () => {
    const before = world.left();
    const container = await started();
    world.containerd.faults.fail("tasks.delete", new Unavailable("gone"), { times: 2 });
    for (const name of ["network.release", "volumes.unmount"]) world.refusals.set(name, new Unknown("no"));
    world.containerd.exit(container.id, 4);
    assert.deepEqual(await container.wait("not-running"), { StatusCode: 4 });
    assert.deepEqual(world.events, ["die"]);
    await startContainer(world.context, container);
    await killContainer(world.context, world.context.store, container.id, "KILL");
    assertEnded(container, 137);
    await removeContainer(world.context, container, { force: false, removeVolumes: true });
    assert.deepEqual({ ...world.left(), snapshots: [] }, before);
  });

  it("takes a container of --rm away, also after restarts at one time", async () => {
    const container = await started({ AutoRemove: true });
    await Promise.all([1, 2, 3].map(() => restartContainer(world.context, container, asItIs).catch(() => undefined)));
    assert.equal(container.hostConfig.AutoRemove, true);
    const removed = container.wait("removed");
    world.containerd.exit(container.id, 0);
    await removed;
    assert.deepEqual(world.left()["containers"], []);
  });

  it("is no reason to remove a container of --rm that is being restarted, for a look at all containers neither", async () => {
    const container = await started({ AutoRemove: true });
    const held = world.containerd.faults.hold("tasks.create");
    const restarted = restartContainer(world.context, container, asItIs);
    await held.reached;
    const looked = finishRemovals(world.context);
    held.release();
    await Promise.all([restarted, looked]);
    assert.equal(container.status, "running");
    assert.deepEqual(world.events, ["kill", "die", "stop", "start", "restart"]);
    const removed = container.wait("removed");
    world.containerd.exit(container.id, 0);
    await removed;
  });

  for (const [what, more, code, again] of [
    ["always", policy("always"), 0, true],
    ["unless-stopped", policy("unless-stopped"), 0, true],
    ["on-failure, failed", policy("on-failure"), 1, true],
    ["on-failure, not failed", policy("on-failure"), 0, false],
    ["no", policy("no"), 1, false],
  ] as const)
    it(`is followed by another run as the policy says: ${what}`, async () => {
      const container = await started(more);
      const ended = container.wait("next-exit");
      world.containerd.exit(container.id, code);
      assert.deepEqual(await ended, { StatusCode: code });
      assert.equal(container.status, again ? "restarting" : "exited");
      if (!again) return assertEnded(container, code);
      while (world.events.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
      assert.equal(container.record.RestartCount, 1);
      assert.deepEqual(world.events, ["die", "start"]);
      await stopContainer(world.context, container, asItIs);
      assertEnded(container, 143);
    });

  it("during the pause before another run ends the policy", async () => {
    const container = await started(policy("always"));
    const ended = container.wait("next-exit");
    world.containerd.exit(container.id, 1);
    await ended;
    await stopContainer(world.context, container, asItIs);
    assert.equal(container.restart.timer, undefined);
    assertEnded(container, 1);
  });
});
