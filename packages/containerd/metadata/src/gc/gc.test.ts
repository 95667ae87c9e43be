import assert from "node:assert/strict";
import { digestOf, writeBlob } from "@longshore/content";
import type { Scope } from "../index.ts";
import { Fixture, target } from "../testing/fixture.ts";
import { backReferences, forwardReferences } from "./references.ts";

const past = "2020-01-01T00:00:00Z";
const future = "2999-01-01T00:00:00Z";

describe("garbage collection", () => {
  let fixture: Fixture;
  let scope: Scope;
  beforeEach(async () => {
    fixture = new Fixture();
    scope = await fixture.open();
  });
  afterEach(() => fixture.remove());

  const put = (content: string, labels: Record<string, string> = {}, to = scope): Promise<string> =>
    writeBlob(to.content, { ref: `ref-${content}`, labels }, Buffer.from(content));

  /** Contents by name: those whose blobs are in the namespace, and those whose files are there. */
  async function held(...contents: string[]): Promise<string> {
    const found: string[] = [];
    for (const content of contents) {
      const record = await scope.content.info(digestOf(content)).then(
        () => true,
        () => false,
      );
      const file = await fixture.content.info(digestOf(content)).then(
        () => true,
        () => false,
      );
      assert.equal(record, file, `record and file of ${content}`);
      if (record) found.push(content);
    }
    return found.join(" ");
  }

  async function snapshots(): Promise<string> {
    const found: string[] = [];
    for await (const { name } of scope.snapshotter("overlayfs").list()) found.push(name);
    assert.equal(fixture.snapshotter.held.size, found.length, "records and backend agree");
    return found.join(" ");
  }

  it("keeps an image's manifest, configuration, layers and unpacked snapshots, and takes them with the image", async () => {
    const overlay = scope.snapshotter("overlayfs");
    await overlay.prepare("x1", "");
    await overlay.commit("chain1", "x1");
    await overlay.prepare("x2", "chain1");
    await overlay.commit("chain2", "x2");
    await overlay.prepare("stray", "");
    await put("layer");
    await put("config", { "containerd.io/gc.ref.snapshot.overlayfs": "chain2" });
    await put("manifest", {
      "containerd.io/gc.ref.content.config": digestOf("config"),
      "containerd.io/gc.ref.content.l.0": digestOf("layer"),
    });
    await put("stray");
    await scope.images.create({ name: "i", labels: {}, target: target("manifest") });
    await fixture.metadata.collectGarbage();
    assert.equal(await held("manifest", "config", "layer", "stray"), "manifest config layer");
    assert.equal(await snapshots(), "chain1 chain2");
    await scope.images.delete("i");
    const { content, snapshots: removed } = await fixture.metadata.collectGarbage();
    assert.deepEqual([content, removed], [3, 2]);
    assert.equal(await held("manifest", "config", "layer"), "");
    assert.equal(await snapshots(), "");
  });

  it("keeps a container's snapshot with its parents", async () => {
    const overlay = scope.snapshotter("overlayfs");
    await overlay.prepare("x", "");
    await overlay.commit("base", "x");
    await overlay.prepare("rw", "base");
    const runtime = { name: "r" };
    const spec = { typeUrl: "t", value: new Uint8Array() };
    await scope.containers.create({
      id: "c",
      labels: {},
      image: "",
      runtime,
      spec,
      snapshotter: "overlayfs",
      snapshotKey: "rw",
      sandbox: "",
      extensions: {},
    });
    await fixture.metadata.collectGarbage();
    assert.equal(await snapshots(), "base rw");
    await scope.containers.delete("c");
    await fixture.metadata.collectGarbage();
    assert.equal(await snapshots(), "");
  });

  it("keeps what a sandbox refers to", async () => {
    await put("a");
    await scope.sandboxes.create({
      id: "s",
      labels: { "containerd.io/gc.ref.content.0": digestOf("a") },
      runtime: { name: "r" },
      sandboxer: "",
      extensions: {},
    });
    await fixture.metadata.collectGarbage();
    assert.equal(await held("a"), "a");
    await scope.sandboxes.delete("s");
    await fixture.metadata.collectGarbage();
    assert.equal(await held("a"), "");
  });

  it("keeps what a lease holds, until it goes or expires", async () => {
    await scope.leases.create("l", {});
    const leased = fixture.scope("test", "l");
    await put("child");
    await put("a", { "containerd.io/gc.ref.content.0": digestOf("child") }, leased);
    await leased.snapshotter("overlayfs").prepare("k", "");
    await (await leased.content.writer({ ref: "begun" })).close();
    await fixture.metadata.collectGarbage();
    assert.equal(await held("a", "child"), "a child");
    assert.equal(await snapshots(), "k");
    assert.equal((await scope.content.listStatuses()).length, 1);
    await scope.leases.delete("l");
    await fixture.metadata.collectGarbage();
    assert.equal(await held("a", "child"), "");
    assert.equal(await snapshots(), "");
    assert.deepEqual(await fixture.content.listStatuses(), []);
  });

  it("follows no references from a flat lease", async () => {
    await scope.leases.create("l", { "containerd.io/gc.flat": "true", "containerd.io/gc.expire": future });
    await put("child");
    await put("a", { "containerd.io/gc.ref.content.0": digestOf("child") }, fixture.scope("test", "l"));
    await fixture.metadata.collectGarbage();
    assert.equal(await held("a", "child"), "a");
  });

  it("heeds roots, expiry and back references", async () => {
    await scope.leases.create("old", { "containerd.io/gc.expire": past });
    await put("leased", {}, fixture.scope("test", "old"));
    await put("root", { "containerd.io/gc.root": "yes" });
    await put("until", { "containerd.io/gc.expire": future });
    await put("over", { "containerd.io/gc.expire": past });
    await put("back", { "containerd.io/gc.bref.content": digestOf("root") });
    await scope.images.create({ name: "old", labels: { "containerd.io/gc.expire": past }, target: target("over") });
    await fixture.metadata.collectGarbage();
    assert.equal(await held("leased", "root", "until", "over", "back"), "root until back");
    assert.deepEqual(await scope.images.list(), []);
    assert.deepEqual(await scope.leases.list(), []);
  });

  it("keeps a file as long as one namespace knows it", async () => {
    await put("a", { "containerd.io/gc.root": "yes" });
    const other = fixture.scope("other");
    await put("a", {}, other);
    await fixture.metadata.collectGarbage();
    assert.equal(await held("a"), "a");
    await assert.rejects(other.content.info(digestOf("a")), { name: "NotFound" });
  });

  it("keeps ingests that go on, and a blob that one of them shares", async () => {
    await put("shared");
    const other = fixture.scope("other");
    const sharing = await other.content.writer({ ref: "s", expected: digestOf("shared"), size: 6 });
    const writing = await scope.content.writer({ ref: "w" });
    await writing.write(Buffer.from("half"));
    await scope.content.delete(digestOf("shared"));
    // No namespace has the blob now; only the ingest's record speaks for it.
    await fixture.metadata.collectGarbage();
    await sharing.commit(6, digestOf("shared"));
    await writing.write(Buffer.from("way"));
    assert.equal(await writing.commit(7, ""), digestOf("halfway"));
  });

  it("loses nothing to writers that commit at the same time", async () => {
    const root = { "containerd.io/gc.root": "yes" };
    const contents = Array.from({ length: 20 }, (_value, index) => `content ${index}`);
    const collecting = (async () => {
      for (let round = 0; round < 5; round++) await fixture.metadata.collectGarbage();
    })();
    await Promise.all([collecting, ...contents.map((content) => put(content, root))]);
    await fixture.metadata.collectGarbage();
    assert.equal(await held(...contents), contents.join(" "));
  });

  it("finishes what a killed collection began", async () => {
    await put("a");
    await scope.snapshotter("overlayfs").prepare("k", "");
    fixture.content.delete = () => Promise.reject(new Error("cut off"));
    await assert.rejects(fixture.metadata.collectGarbage(), /cut off/);
    await fixture.metadata.close();
    scope = await fixture.open();
    await fixture.metadata.collectGarbage();
    assert.equal(await held("a"), "");
    assert.equal(await snapshots(), "");
  });

  it("reads labels in all their forms", () => {
    const labels = {
      "containerd.io/gc.ref.content": "d0",
      "containerd.io/gc.ref.content.m.0": "d1",
      "containerd.io/gc.ref.content/x": "d2",
      "containerd.io/gc.ref.snapshot.overlayfs": "s0",
      "containerd.io/gc.ref.snapshot.overlayfs/x": "s1",
      "containerd.io/gc.ref.image.x": "i",
      "containerd.io/gc.ref.snapshot": "none",
      "containerd.io/gc.ref.contents": "none",
      "containerd.io/gc.bref.container": "c",
    };
    const seen = (nodes: { type: string; id: string }[]): string =>
      nodes.map(({ type, id }) => `${type}=${id}`).join(" ");
    assert.equal(
      seen(forwardReferences("n", labels)),
      "content=d0 content=d1 content=d2 snapshots/overlayfs=s0 snapshots/overlayfs=s1 images=i",
    );
    assert.equal(seen(backReferences("n", labels)), "containers=c");
  });
});
