import assert from "node:assert/strict";
import { pruneContainers } from "../lifecycle/remove/prune.ts";
import { World } from "../testing/world.ts";
import { sizesOf } from "./sizes.ts";
import { summarize } from "./summary.ts";

describe("sizes of containers", () => {
  let world: World;
  beforeEach(() => (world = new World()));
  afterEach(() => world.end());

  it("are 0 where a snapshot is lost or just being removed: the list of all goes on, and so does a prune", async () => {
    const { id } = await world.create({}, "lost");
    await world.create({}, "whole");
    world.containerd.store().snapshots("overlayfs").delete(id);
    const listed = await summarize(world.context, world.context.store.list(), true);
    assert.deepEqual(listed.map(({ Names, SizeRootFs }) => [Names[0], SizeRootFs]).sort(), [
      ["/lost", 0],
      ["/whole", 0],
    ]);
    const { ContainersDeleted } = await pruneContainers(world.context, () => true);
    assert.equal(ContainersDeleted?.length, 2);
  });

  it("end where a damaged record leads back", async () => {
    const container = await world.create();
    const snapshots = world.containerd.store().snapshots("overlayfs");
    const own = snapshots.get(container.id);
    const parent = own && snapshots.get(own.parent);
    assert.ok(parent !== undefined);
    Object.assign(parent, { parent: container.id });
    assert.deepEqual(await sizesOf(world.context, container), { SizeRootFs: 0 });
  });
});
