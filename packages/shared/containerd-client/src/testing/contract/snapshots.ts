import assert from "node:assert/strict";
import { Kind } from "@longshore/proto/containerd/services/snapshots/v1/snapshots";
import { type Subject, all } from "./subject.ts";

export function snapshotContract(subject: Subject): void {
  it("prepares, commits, views and removes", async () => {
    const { client, snapshotter } = subject();
    const { snapshots } = client;
    const kept = { "containerd.io/gc.root": "now" };
    const { mounts } = await snapshots.prepare({ snapshotter, key: "a", labels: kept });
    assert.equal(mounts.length > 0, true);
    await snapshots.commit({ snapshotter, name: "layer", key: "a", labels: kept });
    await assert.rejects(snapshots.stat({ snapshotter, key: "a" }), { name: "NotFound" });
    await snapshots.prepare({ snapshotter, key: "b", parent: "layer", labels: kept });
    const { mounts: viewed } = await snapshots.view({ snapshotter, key: "v", parent: "layer", labels: kept });
    assert.equal(viewed[0]?.options.includes("ro"), true);
    const infos = await all(snapshots.list({ snapshotter }), ({ info }) => info);
    assert.deepEqual(infos.map(({ name, parent, kind }) => [name, parent, kind]).toSorted(), [
      ["b", "layer", Kind.ACTIVE],
      ["layer", "", Kind.COMMITTED],
      ["v", "layer", Kind.VIEW],
    ]);
    const committed = await all(
      snapshots.list({ snapshotter, filters: ["kind==committed"] }),
      ({ info: some }) => some,
    );
    assert.deepEqual(
      committed.map(({ name }) => name),
      ["layer"],
    );
    assert.equal((await snapshots.mounts({ snapshotter, key: "b" })).mounts.length > 0, true);
    assert.equal((await snapshots.usage({ snapshotter, key: "layer" })).size >= 0n, true);
    const { info } = await snapshots.update({
      snapshotter,
      info: { name: "b", labels: { x: "1" } },
      updateMask: { paths: ["labels.x"] },
    });
    assert.deepEqual(info?.labels, { ...kept, x: "1" });
    await assert.rejects(snapshots.remove({ snapshotter, key: "layer" }), { name: "FailedPrecondition" });
    for (const key of ["v", "b", "layer"]) await snapshots.remove({ snapshotter, key });
  });

  it("refuses what does not fit", async () => {
    const { client, snapshotter } = subject();
    const { snapshots } = client;
    const labels = { "containerd.io/gc.root": "now" };
    await snapshots.prepare({ snapshotter, key: "a", labels });
    await assert.rejects(snapshots.prepare({ snapshotter, key: "a" }), { name: "AlreadyExists" });
    await assert.rejects(snapshots.prepare({ snapshotter, key: "b", parent: "none" }), { name: "NotFound" });
    await assert.rejects(snapshots.prepare({ snapshotter, key: "b", parent: "a" }), { name: "InvalidArgument" });
    await assert.rejects(snapshots.commit({ snapshotter, name: "c", key: "none" }), { name: "NotFound" });
    for (const call of [snapshots.mounts, snapshots.remove, snapshots.usage, snapshots.stat])
      await assert.rejects(call({ snapshotter, key: "none" }), { name: "NotFound" });
    await snapshots.remove({ snapshotter, key: "a" });
  });

  it("collects what nothing leads to", async () => {
    const { client, snapshotter } = subject();
    const { snapshots, leases } = client;
    const { lease } = await leases.create({ id: "" });
    const metadata = { "containerd-lease": lease?.id ?? "" };
    await snapshots.prepare({ snapshotter, key: "held" }, { metadata });
    await leases.create({ id: "sync" });
    await leases.delete({ id: "sync", sync: true });
    await snapshots.stat({ snapshotter, key: "held" });
    await leases.delete({ id: lease?.id ?? "", sync: true });
    await assert.rejects(snapshots.stat({ snapshotter, key: "held" }), { name: "NotFound" });
  });
}
