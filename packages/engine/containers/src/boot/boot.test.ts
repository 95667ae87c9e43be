import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Container } from "../model/container.ts";
import { ownerLabel } from "../lifecycle/create/build.ts";
import { startContainer } from "../lifecycle/start/start.ts";
import { stopContainer } from "../lifecycle/stop/stop.ts";
import { World } from "../testing/world.ts";

type Policy = "no" | "always" | "on-failure" | "unless-stopped";
const policy = (Name: Policy) => ({ RestartPolicy: { Name, MaximumRetryCount: 0 } });

describe("what a start of the engine finds", () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world.end());

  async function started(more: Parameters<World["create"]>[0] = {}): Promise<Container> {
    const container = await world.create(more);
    await startContainer(world.context, container);
    world.events.length = 0;
    return container;
  }

  const found = ({ id }: Container): Container => world.context.store.get(id);

  it("runs on: nothing of it is touched", async () => {
    const container = await started();
    const before = world.left();
    await world.rebootAndResume();
    assert.deepEqual(world.left(), before);
    assert.deepEqual(world.events, []);
    assert.deepEqual(found(container).record.State, container.record.State);
  });

  for (const [how, end, code] of [
    ["ended meanwhile", (id: string) => world.containerd.exitUnseen(id, 5), 5],
    ["has no task any more", (id: string) => void world.containerd.store().tasks.delete(id), 255],
  ] as const)
    for (const [name, stays] of [
      ["no", false],
      ["on-failure", true],
    ] as const)
      it(`${how}: its end is taken in${stays ? ", and it runs again by its policy" : ""}`, async () => {
        const container = await started(policy(name));
        end(container.id);
        await world.reboot();
        const { tasks, sandboxes, mountedVolumes } = world.left();
        assert.deepEqual({ tasks, sandboxes, mountedVolumes }, { tasks: [], sandboxes: [], mountedVolumes: [] });
        assert.deepEqual(world.events, ["die"]);
        assert.equal(found(container).record.State.ExitCode, code);
        await world.resume();
        assert.equal(found(container).status, stays ? "running" : "exited");
        assert.deepEqual(world.events, stays ? ["die", "start"] : ["die"]);
      });

  for (const [name, runs] of [
    ["always", true],
    ["unless-stopped", false],
    ["no", false],
  ] as const)
    it(`was stopped by hand, with the policy ${name}: ${runs ? "it is started" : "it stays as it is"}`, async () => {
      world.follow();
      const container = await started(policy(name));
      await stopContainer(world.context, container, { signal: "", timeout: undefined });
      await world.rebootAndResume();
      assert.equal(found(container).alive, runs);
    });

  it("of --rm ended meanwhile: it goes, its anonymous volume too", async () => {
    const before = world.left();
    const container = await started({ AutoRemove: true });
    world.containerd.exitUnseen(container.id, 0);
    await world.rebootAndResume();
    const { snapshots, ...rest } = world.left();
    assert.deepEqual(snapshots, []);
    assert.deepEqual({ ...rest, snapshots: [] }, before);
    assert.deepEqual(world.events, ["die", "destroy"]);
  });

  it("was never finished: what there is of it in containerd and on the disk goes, another engine's stays", async () => {
    const [ours, theirs] = ["c".repeat(64), "d".repeat(64)];
    const { containers, snapshots, leases } = world.context.containerd;
    const { dataRoot, execRoot, snapshotter } = world.context.settings;
    const runtime = { name: "io.containerd.longshore.v2" };
    for (const [id, owner] of [
      [ours, dataRoot],
      [theirs, "/elsewhere"],
    ] as const) {
      await containers.create({
        container: { id, runtime, labels: { [ownerLabel]: owner }, snapshotter, snapshotKey: id },
      });
      await snapshots.prepare({ snapshotter, key: id, parent: "" });
      await leases.create({ id: `lease-${id}`, labels: { "longshore.engine": owner } });
    }
    mkdirSync(join(dataRoot, "containers", ours));
    mkdirSync(join(execRoot, "mnt/1-1"), { recursive: true });
    world.network.live.set(ours, { id: "", netnsPath: "", networks: {}, ports: {}, portBindings: {} });
    await world.rebootAndResume();
    const { records, leases: left, folders, places, sandboxes, snapshots: kept } = world.left();
    assert.deepEqual(
      { records, left, kept, folders, places, sandboxes },
      { records: [theirs], left: [`lease-${theirs}`], kept: [theirs], folders: [], places: [], sandboxes: [] },
    );
  });
});
