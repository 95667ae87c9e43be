import assert from "node:assert/strict";
import type { Container, Scope } from "../index.ts";
import { Fixture, target } from "../testing/fixture.ts";

const spec = { typeUrl: "types.containerd.io/opencontainers/runtime-spec/1/Spec", value: Buffer.from("{}") };
const draft: Omit<Container, "createdAt" | "updatedAt"> = {
  id: "c1",
  labels: { a: "1" },
  image: "img",
  runtime: { name: "io.containerd.runc.v2" },
  spec,
  snapshotter: "overlayfs",
  snapshotKey: "k",
  sandbox: "sb",
  extensions: { e1: spec },
};

describe("records", () => {
  let fixture: Fixture;
  let scope: Scope;
  beforeEach(async () => {
    fixture = new Fixture();
    scope = await fixture.open();
  });
  afterEach(() => fixture.remove());

  it("keep over a restart", async () => {
    await scope.containers.create(draft);
    await scope.images.create({ name: "i", labels: { l: "1" }, target: target("x") });
    const before = [await scope.containers.get("c1"), await scope.images.get("i")];
    await fixture.metadata.close();
    scope = await fixture.open();
    assert.deepEqual([await scope.containers.get("c1"), await scope.images.get("i")], before);
    assert.deepEqual((await scope.containers.get("c1")).extensions["e1"]?.typeUrl, spec.typeUrl);
  });

  describe("containers", () => {
    beforeEach(() => scope.containers.create(draft));

    // The texts are those of containerd 2.1.
    const refused: [change: Partial<Container>, message: string][] = [
      [
        { runtime: { name: "" } },
        "create container failed validation: container.Runtime.Name must be set: invalid argument",
      ],
      [{ spec: undefined }, "create container failed validation: container.Spec must be set: invalid argument"],
      [
        { snapshotter: "" },
        "create container failed validation: container.Snapshotter must be set if container.SnapshotKey is set: invalid argument",
      ],
      [
        { extensions: { "": spec } },
        "create container failed validation: container.Extension keys must not be zero-length: invalid argument",
      ],
      [{ id: "" }, "create container failed validation: container.ID: identifier must not be empty: invalid argument"],
      [
        { labels: { a: "x".repeat(5000) } },
        "create container failed validation: containers.Labels: label key and value length (5001 bytes) greater than maximum size (4096 bytes), key: a: invalid argument",
      ],
    ];
    for (const [change, message] of refused) {
      it(`refuse ${JSON.stringify(change).slice(0, 60)}`, async () => {
        await assert.rejects(scope.containers.create({ ...draft, id: "c2", ...change }), {
          name: "InvalidArgument",
          message,
        });
        assert.equal((await scope.containers.list()).length, 1);
      });
    }

    it("name what is missing or there already", async () => {
      await assert.rejects(scope.containers.create(draft), {
        name: "AlreadyExists",
        message: 'container "c1": already exists',
      });
      await assert.rejects(scope.containers.get("c2"), {
        name: "NotFound",
        message: 'container "c2" in namespace "test": not found',
      });
      await assert.rejects(scope.containers.update({ ...draft, id: "c2" }, []), {
        name: "NotFound",
        message: 'container "c2": not found',
      });
      await assert.rejects(scope.containers.delete("c2"), { name: "NotFound", message: "container c2: not found" });
      await assert.rejects(fixture.scope("other").containers.get("c1"), { name: "NotFound" });
    });

    it("update by field path", async () => {
      const changed = { ...draft, labels: { b: "2" }, image: "img2", snapshotKey: "k2", extensions: { e2: spec } };
      assert.deepEqual((await scope.containers.update(changed, ["labels.b", "labels.a"])).labels, { b: "2" });
      const updated = await scope.containers.update(changed, ["extensions.e2", "image"]);
      assert.deepEqual(
        [Object.keys(updated.extensions), updated.image, updated.snapshotKey],
        [["e1", "e2"], "img2", "k"],
      );
      assert.equal((await scope.containers.update(changed, ["snapshotkey"])).snapshotKey, "k2");
      await assert.rejects(scope.containers.update(changed, ["runtime"]), {
        message: 'cannot update "runtime" field on "c1": invalid argument',
      });
    });

    it("update as a whole, but for what may not change", async () => {
      await assert.rejects(scope.containers.update({ ...draft, snapshotter: "x" }, []), {
        message: "container.Snapshotter field is immutable: invalid argument",
      });
      await assert.rejects(scope.containers.update({ ...draft, runtime: { name: "x" } }, []), {
        message: "container.Runtime.Name field is immutable: invalid argument",
      });
      const updated = await scope.containers.update(
        { ...draft, labels: { only: "1" }, image: "", snapshotKey: "", sandbox: "other" },
        [],
      );
      assert.deepEqual(
        [updated.labels, updated.image, updated.snapshotKey, updated.sandbox],
        [{ only: "1" }, "", "", "sb"],
      );
    });

    const filters: [filter: string, count: number][] = [
      ["id==c1", 1],
      ["runtime.name~=runc", 1],
      ["image==img", 1],
      ["labels.a==1", 1],
      ["labels.zzz~=^$", 1],
      ["runtime", 0],
      ["snapshotter==overlayfs", 0],
    ];
    for (const [filter, count] of filters)
      it(`filter by ${filter}`, async () => assert.equal((await scope.containers.list([filter])).length, count));

    it("wrap a bad filter as containerd does", async () => {
      await assert.rejects(scope.containers.list(["a=b"]), {
        message: 'filters: parse error: [a >|=|< b]: unsupported operator "=": invalid argument: invalid argument',
      });
    });
  });

  describe("images", () => {
    beforeEach(() =>
      scope.images.create({ name: "i1", labels: { a: "b" }, target: { ...target("x"), annotations: { an: "1" } } }),
    );

    const bad: [change: object, message: string][] = [
      [{ digest: "foo" }, 'Target.Digest "foo" invalid: invalid checksum digest format: invalid argument'],
      [
        { digest: "sha256:abc" },
        'Target.Digest "sha256:abc" invalid: invalid checksum digest length: invalid argument',
      ],
      [
        { digest: "md5:d41d8cd98f00b204e9800998ecf8427e" },
        'Target.Digest "md5:d41d8cd98f00b204e9800998ecf8427e" invalid: unsupported digest algorithm: invalid argument',
      ],
      [{ size: 0 }, "Target.Size must be greater than zero: invalid argument"],
      [{ size: 2 ** 60 }, "Target.Size 1152921504606847000 is no number of bytes: invalid argument"],
      [{ mediaType: "a\0" }, 'Target.MediaType "a\\u0000" invalid: invalid argument'],
      [
        { annotations: { a: "x".repeat(300_000) } },
        "Target.Annotations of 300001 bytes are more than 262144: invalid argument",
      ],
      [{ mediaType: "" }, "Target.MediaType must be set: invalid argument"],
    ];
    for (const [change, message] of bad) {
      it(`refuse ${JSON.stringify(change)}`, () =>
        assert.rejects(scope.images.create({ name: "i2", labels: {}, target: { ...target("x"), ...change } }), {
          name: "InvalidArgument",
          message,
        }));
    }

    it("update by field path", async () => {
      const other = { name: "i1", labels: { x: "y" }, target: { ...target("yy"), annotations: { k: "r" } } };
      assert.deepEqual((await scope.images.update(other, ["labels.x"])).labels, { a: "b", x: "y" });
      assert.deepEqual((await scope.images.update({ ...other, labels: { x: "" } }, ["labels.x"])).labels, { a: "b" });
      assert.deepEqual((await scope.images.update(other, ["annotations.k"])).target.annotations, { an: "1", k: "r" });
      assert.equal((await scope.images.update(other, ["target"])).target.digest, other.target.digest);
      await assert.rejects(scope.images.update(other, ["name"]), {
        message: 'cannot update "name" field on image "i1": invalid argument',
      });
    });

    it("delete only the target that is meant", async () => {
      await assert.rejects(scope.images.delete("i1", target("z").digest), {
        name: "NotFound",
        message: `image "i1" has target ${target("x").digest}, not ${target("z").digest}: not found`,
      });
      await scope.images.delete("i1", target("x").digest);
      await assert.rejects(scope.images.delete("i1"), { message: 'image "i1": not found' });
    });

    it("take a given time", async () => {
      assert.equal(
        (
          await scope.images.create({ name: "old", labels: {}, target: target("x") }, new Date(1000))
        ).createdAt.getTime(),
        1000,
      );
    });
  });

  describe("namespaces", () => {
    it("come with their first object and go only empty", async () => {
      await scope.images.create({ name: "i", labels: {}, target: target("x") });
      await scope.containers.create(draft);
      await scope.snapshotter("overlayfs").prepare("k", "");
      assert.deepEqual(
        (await fixture.metadata.namespaces.list()).map(({ name }) => name),
        ["test"],
      );
      const message =
        'namespace "test" must be empty, but it still has images, containers, snapshots on "overlayfs" snapshotter: failed precondition';
      await assert.rejects(fixture.metadata.namespaces.delete("test"), { name: "FailedPrecondition", message });
      await scope.images.delete("i");
      await scope.containers.delete("c1");
      await scope.snapshotter("overlayfs").remove("k");
      await fixture.metadata.namespaces.delete("test");
      await assert.rejects(fixture.metadata.namespaces.delete("test"), {
        name: "NotFound",
        message: 'namespace "test": not found',
      });
    });

    it("have labels", async () => {
      const { namespaces } = fixture.metadata;
      await namespaces.create("n", { a: "b" });
      await assert.rejects(namespaces.create("n", {}), { message: 'namespace "n": already exists' });
      assert.deepEqual(await namespaces.update("n", { x: "y" }, ["labels.x"]), { a: "b", x: "y" });
      assert.deepEqual(await namespaces.update("n", { r: "1", e: "" }, []), { r: "1" });
      await assert.rejects(namespaces.update("n", {}, ["labels"]), { message: 'cannot update "labels" field' });
      await assert.rejects(namespaces.update("", {}, []), { name: "InvalidArgument" });
      assert.deepEqual(await namespaces.labels("none"), {});
    });
  });

  describe("leases", () => {
    beforeEach(() => scope.leases.create("l1", {}));

    const bad: [type: string, id: string, name: string, message: string][] = [
      [
        "content",
        "foo",
        "InvalidArgument",
        "invalid content resource id foo: invalid checksum digest format: invalid argument",
      ],
      ["foo", "x", "NotImplemented", "resource type foo not supported yet: not implemented"],
      ["snapshots", "x", "InvalidArgument", "invalid snapshot resource type snapshots: invalid argument"],
      ["content/x", "x", "InvalidArgument", "invalid resource type content/x: invalid argument"],
    ];
    for (const [type, id, name, message] of bad)
      it(`refuse a resource of type ${type}`, () =>
        assert.rejects(scope.leases.addResource("l1", { type, id }), { name, message }));

    it("list their resources", async () => {
      await scope.leases.addResource("l1", { type: "snapshots/overlayfs", id: "k" });
      await scope.leases.addResource("l1", { type: "images", id: "i" });
      await scope.leases.deleteResource("l1", { type: "images", id: "i" });
      assert.deepEqual(await scope.leases.listResources("l1"), [{ type: "snapshots/overlayfs", id: "k" }]);
      await scope.leases.delete("l1");
      await assert.rejects(scope.leases.listResources("l1"), { message: 'lease "l1": not found' });
    });

    it("get a random name when they have none", async () => {
      assert.match((await scope.leases.create("", {})).id, /^\d+-[\w-]{4}$/);
    });
  });
});
