import assert from "node:assert/strict";
import type { CallName } from "@longshore/containerd-client/testing";
import { Unavailable, Unknown } from "@longshore/errdefs";
import { World } from "../../testing/world.ts";
import { removeContainer } from "../remove/remove.ts";
import { restartContainer } from "../stop/stop.ts";
import { startContainer } from "./start.ts";

/** What a start asks for, in its order. */
const calls: CallName[] = ["snapshots.mounts", "containers.update", "tasks.create", "tasks.start"];
const refusals = ["volumes.mount", "network.allocate", "disk.write"];

describe("the start of a container", () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world.end());

  type Break = (world: World) => void;
  const breaks: Record<string, Break> = {};
  for (const name of calls) {
    breaks[`${name} fails`] = ({ containerd }) => containerd.faults.fail(name, new Unavailable("gone"));
    breaks[`the answer of ${name} is lost`] = ({ containerd }) =>
      containerd.faults.fail(name, new Unavailable("gone"), { done: true });
  }
  for (const name of refusals) breaks[`${name} fails`] = (it) => it.refusals.set(name, new Unknown("gone"));

  for (const [how, breakIt] of Object.entries(breaks))
    it(`leaves nothing when ${how}`, async () => {
      const container = await world.create();
      const before = world.left();
      world.events.length = 0;
      breakIt(world);
      await assert.rejects(startContainer(world.context, container), /gone/);
      assert.deepEqual([world.containerd.faults.pending, world.refusals.pending], [[], []]);
      assert.deepEqual(world.left(), before);
      const { Running, Pid, Error, ExitCode } = container.record.State;
      assert.deepEqual({ Running, Pid, ExitCode }, { Running: false, Pid: 0, ExitCode: 128 });
      assert.match(Error, /gone/);
      assert.deepEqual(world.events, []);
      await startContainer(world.context, container);
      assert.deepEqual(world.events, ["start"]);
      assert.equal(container.record.State.Error, "");
    });

  it("takes a container of --rm away when that of a restart fails", async () => {
    const before = world.left();
    const container = await world.create({ AutoRemove: true });
    await startContainer(world.context, container);
    world.follow();
    world.containerd.faults.fail("tasks.create", new Unavailable("gone"));
    const options = { signal: "", timeout: undefined };
    await assert.rejects(restartContainer(world.context, container, options), /Cannot restart container one: .*gone/);
    assert.deepEqual(world.left(), before);
    assert.equal(world.events.at(-1), "destroy");
  });

  for (const [how, breakIt] of Object.entries(breaks))
    it(`takes a container of --rm away when ${how}`, async () => {
      const before = world.left();
      const container = await world.create({ AutoRemove: true });
      world.events.length = 0;
      breakIt(world);
      const removed = container.wait("removed");
      await assert.rejects(startContainer(world.context, container), /gone/);
      await removed;
      assert.deepEqual(world.left(), before);
      assert.deepEqual(world.events, ["destroy"]);
    });

  it("is refused as soon as the container is being removed", async () => {
    const container = await world.create();
    const use = Promise.withResolvers<void>();
    const used = container.fileUses.during(() => use.promise);
    const removed = removeContainer(world.context, container, { force: false, removeVolumes: true });
    await assert.rejects(
      startContainer(world.context, container),
      /container is marked for removal and cannot be started/,
    );
    use.resolve();
    await Promise.all([used, removed]);
    assert.deepEqual(world.events, ["create", "destroy"]);
  });
});
