import assert from "node:assert/strict";
import type { CallName } from "@longshore/containerd-client/testing";
import { Unavailable, Unknown } from "@longshore/errdefs";
import { World } from "../../testing/world.ts";
import { startContainer } from "../start/start.ts";
import { removeContainer } from "./remove.ts";

const all = { force: true, removeVolumes: true };
type Break = (world: World) => void;
const calls: CallName[] = ["snapshots.remove", "containers.delete"];
const breaks: Record<string, Break> = {
  "the plugin of its log fails": ({ refusals }) => refusals.set("logs.removed", new Unknown("gone")),
};
for (const name of calls) {
  breaks[`${name} fails`] = ({ containerd }) => containerd.faults.fail(name, new Unavailable("gone"));
  breaks[`the answer of ${name} is lost`] = ({ containerd }) =>
    containerd.faults.fail(name, new Unavailable("gone"), { done: true });
}

describe("the removal of a container", () => {
  let world: World;
  beforeEach(() => {
    world = new World();
    world.follow();
  });
  afterEach(() => world.end());

  for (const [how, breakIt] of Object.entries(breaks))
    for (const boots of [false, true])
      it(`that ${how} leaves a dead one, and ${boots ? "the next engine" : "the next one"} finishes it`, async () => {
        const before = world.left();
        const container = await world.create();
        await startContainer(world.context, container);
        const waited = container.wait("removed");
        world.events.length = 0;
        breakIt(world);
        await assert.rejects(
          removeContainer(world.context, container, all),
          /failed to remove root filesystem: .*gone/,
        );
        assert.match((await waited).Error?.Message ?? "", /gone/);
        assert.equal(container.status, "dead");
        assert.deepEqual(world.events, ["kill", "die"]);
        await assert.rejects(startContainer(world.context, container), /marked for removal/);
        if (boots) await world.rebootAndResume();
        else await removeContainer(world.context, container, all);
        assert.deepEqual(world.left(), before);
        assert.deepEqual(world.events, ["kill", "die", "destroy"]);
      });

  it("of one that runs is refused without force, and changes nothing", async () => {
    const container = await world.create();
    await startContainer(world.context, container);
    const before = world.left();
    await assert.rejects(
      removeContainer(world.context, container, { force: false, removeVolumes: true }),
      /cannot remove container "one": container is running: stop the container before removing or force remove/,
    );
    assert.deepEqual(world.left(), before);
    assert.equal(container.status, "running");
  });
});
