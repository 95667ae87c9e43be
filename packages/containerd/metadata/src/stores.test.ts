import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { type Info, digestOf, writeBlob } from "@longshore/content";
import { contentStoreSuite } from "@longshore/content/testing";
import type { Scope, Snapshotter } from "./index.ts";
import { Fixture } from "./testing/fixture.ts";

async function names<T extends object>(source: AsyncIterable<T>, name: (entry: T) => string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of source) found.push(name(entry));
  return found;
}

describe("stores of a namespace", () => {
  let fixture: Fixture;
  let scope: Scope;
  beforeEach(async () => {
    fixture = new Fixture();
    scope = await fixture.open();
  });
  afterEach(() => fixture.remove());

  describe("content", () => {
    contentStoreSuite(async () => fixture.scope("suite").content);

    const hello = Buffer.from("hello");
    const digest = digestOf(hello);

    it("is visible only where it was written, and shared without a second copy", async () => {
      await writeBlob(scope.content, { ref: "r", size: 5, expected: digest, labels: { a: "b", e: "" } }, hello);
      assert.deepEqual((await scope.content.info(digest)).labels, { a: "b" });
      const other = fixture.scope("other");
      await assert.rejects(other.content.info(digest), {
        name: "NotFound",
        message: `content digest ${digest}: not found`,
      });
      const writer = await other.content.writer({ ref: "s", size: 5, expected: digest });
      assert.deepEqual([writer.status().offset, writer.digest()], [5, digest]);
      await writer.commit(5, digest, { ns: "2" });
      assert.deepEqual((await other.content.info(digest)).labels, { ns: "2" });
    });

    it("leaves a shared blob alone when a writer goes on after it", async () => {
      await writeBlob(scope.content, { ref: "r" }, hello);
      const writer = await fixture.scope("other").content.writer({ ref: "s", size: 5, expected: digest });
      await writer.write(Buffer.from("!"));
      assert.equal(await writer.commit(6, digestOf("hello!")), digestOf("hello!"));
    });

    it("lets one of two namespaces that write the same blob at once find it there", async () => {
      const other = fixture.scope("other");
      await Promise.all([scope, other].map(({ content }) => writeBlob(content, { ref: "r" }, hello)));
      assert.equal((await other.content.info(digest)).size, 5);
      assert.equal((await scope.content.info(digest)).size, 5);
    });

    it("updates labels", async () => {
      await writeBlob(scope.content, { ref: "r" }, hello);
      assert.deepEqual((await scope.content.update({ digest, labels: { a: "1", e: "" } })).labels, { a: "1" });
      assert.deepEqual((await scope.content.update({ digest, labels: { b: "1" } }, ["labels.b"])).labels, {
        a: "1",
        b: "1",
      });
      assert.deepEqual(await names(scope.content.list(["labels.b==1"]), (info: Info) => info.digest), [digest]);
      await assert.rejects(scope.content.update({ digest, labels: {} }, ["size"]), {
        message: `cannot update "size" field on content info "${digest}": invalid argument`,
      });
    });

    it("refuses a lease that does not exist, and publishes nothing", async () => {
      await assert.rejects(fixture.scope("test", "gone").content.writer({ ref: "r" }), {
        name: "NotFound",
        message: "lease does not exist: not found",
      });
      assert.deepEqual(await names(fixture.content.list(), (info) => info.digest), []);
    });
  });

  describe("snapshots", () => {
    let snapshots: Snapshotter;
    beforeEach(() => (snapshots = scope.snapshotter("overlayfs")));

    it("go from prepare to commit to a child", async () => {
      await snapshots.prepare("k1", "", { a: "b", "containerd.io/snapshot/x": "y" });
      assert.deepEqual(
        [...fixture.snapshotter.held.values()].map(({ name, labels }) => [name.replace(/\d+/, "N"), labels]),
        [["test/N/k1", { "containerd.io/snapshot/x": "y" }]],
      );
      await snapshots.commit("c1", "k1", { l: "1" });
      await snapshots.view("v1", "c1");
      const info = await snapshots.stat("c1");
      assert.deepEqual([info.kind, info.labels, info.name], ["committed", { l: "1" }, "c1"]);
      await assert.rejects(snapshots.stat("k1"), {
        name: "NotFound",
        message: "snapshot k1 does not exist: not found",
      });
      assert.deepEqual(await names(snapshots.list(["parent==c1"]), ({ name }) => name), ["v1"]);
      assert.deepEqual(await names(snapshots.list(["kind==committed"]), ({ name }) => name), ["c1"]);
      await assert.rejects(snapshots.remove("c1"), {
        name: "FailedPrecondition",
        message: "cannot remove snapshot with child: failed precondition",
      });
    });

    it("say what is there already, and what is missing", async () => {
      await snapshots.prepare("k1", "");
      await snapshots.commit("c1", "k1");
      await snapshots.prepare("k2", "c1");
      await assert.rejects(snapshots.prepare("k2", ""), { message: 'snapshot "k2": already exists' });
      await assert.rejects(snapshots.commit("c1", "k2"), { message: 'snapshot "c1": already exists' });
      await assert.rejects(snapshots.commit("c2", "none"), { message: "snapshot none does not exist: not found" });
      await assert.rejects(snapshots.prepare("k3", "none"), {
        message: "parent snapshot none does not exist: not found",
      });
      await assert.rejects(snapshots.prepare("k3", "", { "containerd.io/snapshot.ref": "c1" }), {
        message: 'target snapshot "c1": already exists',
      });
      await assert.rejects(async () => scope.snapshotter("zz"), {
        name: "InvalidArgument",
        message: "snapshotter not loaded: zz: invalid argument",
      });
    });

    it("let one of two have a key", async () => {
      const results = await Promise.allSettled([snapshots.prepare("k", ""), snapshots.prepare("k", "")]);
      assert.deepEqual(results.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
      assert.equal(fixture.snapshotter.held.size, 1);
    });

    it("keep the active one when the backend refuses a commit", async () => {
      await snapshots.prepare("k1", "");
      await snapshots.commit("c1", "k1");
      await snapshots.view("v", "c1");
      await assert.rejects(snapshots.commit("c2", "v"), { name: "FailedPrecondition" });
      assert.equal((await snapshots.stat("v")).kind, "view");
      await snapshots.prepare("c2", "");
    });

    for (const backendDone of [true, false]) {
      it(`settle a commit that was cut off ${backendDone ? "after" : "before"} the backend's`, async () => {
        await snapshots.prepare("k1", "", {});
        const commit = fixture.snapshotter.commit.bind(fixture.snapshotter);
        const cut = new Promise<void>((resolve) => {
          fixture.snapshotter.commit = async (name, key, labels) => {
            if (backendDone) await commit(name, key, labels);
            resolve();
            return new Promise(() => undefined);
          };
        });
        void snapshots.commit("c1", "k1", { l: "1" });
        await cut;
        fixture.snapshotter.commit = commit;
        // The old store, which goes on holding its own, as a killed process leaves it.
        cpSync(join(fixture.root, "metadata"), join(fixture.root, "killed"), { recursive: true });
        scope = await fixture.open("killed");
        const found = await names(
          scope.snapshotter("overlayfs").list(),
          ({ name, labels }) => `${name} ${JSON.stringify(labels)}`,
        );
        assert.deepEqual(found, backendDone ? ['c1 {"l":"1"}'] : ["k1 {}"]);
      });
    }
  });
});
