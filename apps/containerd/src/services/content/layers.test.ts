import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ArchiveWorkers, Layers } from "@longshore/archive";
import { LocalStore } from "@longshore/content";
import { connectContainerd } from "@longshore/containerd-client/connect";
import type { ContainerdClient } from "@longshore/containerd-client";
import { Exchange } from "@longshore/events";
import { Channel, type RunningServer, implement, serve } from "@longshore/grpc";
import { silent } from "@longshore/logger";
import { Metadata } from "@longshore/metadata";
import { Content, WriteAction } from "@longshore/proto/containerd/services/content/v1/content";
import { Diff } from "@longshore/proto/containerd/services/diff/v1/diff";
import { Kind, Snapshots } from "@longshore/proto/containerd/services/snapshots/v1/snapshots";
import { OverlayfsSnapshotter } from "@longshore/snapshots";
import { contentService } from "./content.ts";
import { diffService } from "./diff.ts";
import { snapshotsService } from "./snapshots.ts";

const snapshotter = "overlayfs";
const gzipLayer = "application/vnd.oci.image.layer.v1.tar+gzip";

describe("snapshots and diff services", () => {
  let root: string;
  let overlayfs: OverlayfsSnapshotter;
  let metadata: Metadata;
  let server: RunningServer;
  let channel: Channel;
  let client: ContainerdClient;
  const workers = new ArchiveWorkers();

  before(async () => {
    root = mkdtempSync(join(tmpdir(), "layers-"));
    overlayfs = new OverlayfsSnapshotter({ root: join(root, "overlayfs") });
    const content = await LocalStore.open(join(root, "content"));
    metadata = await Metadata.open({
      root: join(root, "metadata"),
      content,
      snapshotters: { overlayfs },
      publisher: new Exchange(),
      logger: silent,
      gc: { startupDelayMs: 1 << 30 },
    });
    const services = [
      implement(Content, contentService({ metadata })),
      implement(Snapshots, snapshotsService({ metadata })),
      implement(Diff, diffService({ metadata, layers: new Layers(workers) })),
    ];
    server = await serve(services, { path: join(root, "sock") });
    channel = new Channel(join(root, "sock"));
    client = connectContainerd(channel, "test");
  });
  after(async () => {
    channel.close();
    await server.close();
    await metadata.close();
    await overlayfs.close();
    await workers.close();
    rmSync(root, { recursive: true });
  });

  async function put(data: Buffer): Promise<{ mediaType: string; digest: string; size: bigint }> {
    async function* requests(): AsyncGenerator<{ action: WriteAction; ref: string; data: Buffer; total: bigint }> {
      yield { action: WriteAction.COMMIT, ref: `put-${data.length}`, data, total: BigInt(data.length) };
    }
    let digest = "";
    for await (const response of client.content.write(requests())) ({ digest } = response);
    return { mediaType: gzipLayer, digest, size: BigInt(data.length) };
  }

  it("unpacks a layer, changes it and makes a layer of the change", async () => {
    const tree = join(root, "tree");
    mkdirSync(join(tree, "etc"), { recursive: true });
    writeFileSync(join(tree, "etc/one"), "1");
    writeFileSync(join(tree, "etc/two"), "2");
    const layer = await put(execFileSync("tar", ["-C", tree, "-cz", "."]));
    const { mounts } = await client.snapshots.prepare({ snapshotter, key: "extract", parent: "" });
    const { applied } = await client.diff.apply({ diff: layer, mounts });
    assert.equal(applied?.mediaType, "application/vnd.oci.image.layer.v1.tar");
    await client.snapshots.commit({ snapshotter, name: "base", key: "extract" });

    const container = await client.snapshots.prepare({ snapshotter, key: "container", parent: "base" });
    const upper =
      container.mounts[0]?.options.find((option) => option.startsWith("upperdir="))?.slice("upperdir=".length) ?? "";
    writeFileSync(join(upper, "new"), "content");
    const view = await client.snapshots.view({ snapshotter, key: "left", parent: "base" });
    const { diff } = await client.diff.diff({ left: view.mounts, right: container.mounts, labels: { "x.y": "z" } });
    assert.equal(diff?.mediaType, gzipLayer);
    const { info } = await client.content.info({ digest: diff.digest });
    assert.equal(info?.size, diff.size);
    assert.equal(info.labels["x.y"], "z");
    const again = await client.diff.diff({
      left: view.mounts,
      right: container.mounts,
      mediaType: "application/vnd.oci.image.layer.v1.tar",
      ref: "mine",
    });
    assert.equal(info.labels["containerd.io/uncompressed"], again.diff?.digest);

    const target = await client.snapshots.prepare({ snapshotter, key: "extract 2", parent: "base" });
    const result = await client.diff.apply({ diff, mounts: target.mounts });
    assert.equal(result.applied?.digest, info.labels["containerd.io/uncompressed"]);
    const applies =
      target.mounts[0]?.options.find((option) => option.startsWith("upperdir="))?.slice("upperdir=".length) ?? "";
    assert.equal(readFileSync(join(applies, "new"), "utf8"), "content");
  });

  it("tells of snapshots", async () => {
    const { info } = await client.snapshots.stat({ snapshotter, key: "base" });
    assert.deepEqual([info?.name, info?.kind, info?.parent], ["base", Kind.COMMITTED, ""]);
    const names: string[] = [];
    for await (const { info: infos } of client.snapshots.list({ snapshotter, filters: ["kind==active"] }))
      names.push(...infos.map(({ name }) => name));
    assert.deepEqual(names.toSorted(), ["container", "extract 2"]);
    const usage = await client.snapshots.usage({ snapshotter, key: "base" });
    assert.equal(usage.inodes, 4n);
    await assert.rejects(client.snapshots.remove({ snapshotter, key: "base" }), { name: "FailedPrecondition" });
    await client.snapshots.remove({ snapshotter, key: "extract 2" });
    await assert.rejects(client.snapshots.stat({ snapshotter: "none", key: "base" }), { name: "InvalidArgument" });
    await client.snapshots.cleanup({ snapshotter });
  });

  it("refuses a layer that ends early", async () => {
    const layer = await put(execFileSync("tar", ["-C", join(root, "tree"), "-cz", "."]).subarray(0, 100));
    const { mounts } = await client.snapshots.prepare({ snapshotter, key: "short", parent: "" });
    await assert.rejects(client.diff.apply({ diff: layer, mounts }), { message: "unexpected EOF" });
    await assert.rejects(client.diff.apply({ diff: { ...layer, digest: `sha256:${"0".repeat(64)}` }, mounts }), {
      name: "NotFound",
    });
    await assert.rejects(client.diff.diff({ left: [], right: mounts, mediaType: "text/plain" }), {
      name: "NotImplemented",
    });
  });
});
