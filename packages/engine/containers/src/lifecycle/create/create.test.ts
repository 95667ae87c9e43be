import assert from "node:assert/strict";
import type { CallName } from "@longshore/containerd-client/testing";
import { Unavailable, Unknown } from "@longshore/errdefs";
import { World } from "../../testing/world.ts";
import { removeContainer } from "../remove/remove.ts";

/** Calls of a creation that need not succeed. */
const calls: CallName[] = ["containers.create", "snapshots.prepare", "snapshots.mounts"];
const refusals = ["volumes.create", "volumes.mount"];

describe("the creation of a container", () => {
  let world: World;
  beforeEach(async () => {
    world = new World();
    // The layer that all containers share is there.
    await removeContainer(world.context, await world.create(), { force: false, removeVolumes: true });
    world.events.length = 0;
  });
  afterEach(() => world.end());

  it("makes all that there is of it, and its removal takes it all away", async () => {
    const before = world.left();
    const container = await world.create();
    const { records, snapshots, folders, volumes, keptVolumes, ...rest } = world.left();
    for (const made of [records, snapshots, folders, rest["containers"]]) assert.deepEqual(made, [container.id]);
    assert.deepEqual([volumes?.length, keptVolumes?.length], [1, 2]);
    for (const none of ["leases", "tasks", "sandboxes", "mountedVolumes", "mounts", "places"])
      assert.deepEqual(rest[none], [], none);
    await removeContainer(world.context, container, { force: false, removeVolumes: true });
    assert.deepEqual(world.left(), before);
    assert.deepEqual(world.events, ["create", "destroy"]);
  });

  for (const name of calls)
    for (const done of [false, true])
      it(`leaves nothing when ${name} ${done ? "is done and its answer lost" : "fails"}`, async () => {
        const before = world.left();
        world.containerd.faults.fail(name, new Unavailable("gone"), { done });
        await assert.rejects(world.create(), /gone/);
        assert.deepEqual(world.containerd.faults.pending, []);
        assert.deepEqual(world.left(), before);
        assert.deepEqual(world.events, []);
        await world.create();
      });

  for (const name of refusals)
    it(`leaves nothing when ${name} fails`, async () => {
      const before = world.left();
      world.containerd.faults.before("snapshots.mounts", () => world.makeInRoot("named"));
      world.refusals.set(name, new Unknown("no"));
      await assert.rejects(world.create(), /no/);
      assert.deepEqual(world.refusals.pending, []);
      assert.deepEqual(world.left(), before);
      assert.deepEqual(world.events, []);
      world.containerd.faults.clear();
      await world.create();
    });
});
