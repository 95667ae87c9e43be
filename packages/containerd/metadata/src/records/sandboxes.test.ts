import assert from "node:assert/strict";
import { Fixture } from "../testing/fixture.ts";
import type { Sandbox, Scope } from "../index.ts";

const packed = (text: string): { typeUrl: string; value: Buffer } => ({ typeUrl: "t", value: Buffer.from(text) });
const draft: Omit<Sandbox, "createdAt" | "updatedAt"> = {
  id: "s1",
  labels: { a: "1", none: "" },
  runtime: { name: "io.containerd.runc.v2", options: packed("options") },
  spec: packed("{}"),
  sandboxer: "shim",
  extensions: { e1: packed("1") },
};

describe("sandboxes", () => {
  let fixture: Fixture;
  let scope: Scope;
  beforeEach(async () => {
    fixture = new Fixture();
    scope = await fixture.open();
    await scope.sandboxes.create(draft);
  });
  afterEach(() => fixture.remove());

  it("keep over a restart, each in its namespace", async () => {
    const before = await scope.sandboxes.get("s1");
    await fixture.metadata.close();
    scope = await fixture.open();
    const { createdAt: _, updatedAt: __, ...kept } = await scope.sandboxes.get("s1");
    assert.deepEqual(await scope.sandboxes.list(), [before]);
    assert.deepEqual(
      [kept.labels, kept.runtime.name, kept.sandboxer, Buffer.from(kept.extensions["e1"]?.value ?? []).toString()],
      [{ a: "1" }, draft.runtime.name, "shim", "1"],
    );
    await assert.rejects(fixture.scope("other").sandboxes.get("s1"), {
      name: "NotFound",
      message: "no sandbox buckets: not found",
    });
  });

  it("take what the mask names, and nothing of a bad mask", async () => {
    const changed = { ...draft, labels: { a: "2", b: "3" }, extensions: { e2: packed("2") }, spec: packed("[]") };
    assert.deepEqual((await scope.sandboxes.update(changed, ["labels.b"])).labels, { a: "1", b: "3" });
    assert.deepEqual(Object.keys((await scope.sandboxes.update(changed, ["extensions.e2"])).extensions), ["e1", "e2"]);
    assert.deepEqual((await scope.sandboxes.update(draft, ["labels.b"])).labels, { a: "1" });
    await assert.rejects(scope.sandboxes.update(changed, ["labels", "sandboxer"]), {
      name: "InvalidArgument",
      message: 'cannot update "sandboxer" field on sandbox "s1": invalid argument',
    });
    assert.deepEqual((await scope.sandboxes.get("s1")).labels, { a: "1" });
    await assert.rejects(scope.sandboxes.update({ ...draft, runtime: { name: "other" } }, []), {
      message: "sandbox.Runtime.Name field is immutable: invalid argument",
    });
    const all = await scope.sandboxes.update({ ...changed, sandboxer: "other" }, []);
    assert.deepEqual([all.labels, Object.keys(all.extensions), all.sandboxer], [changed.labels, ["e2"], "shim"]);
  });

  it("are found by filter, made once and deleted once", async () => {
    assert.equal((await scope.sandboxes.list(["labels.a==1"])).length, 1);
    assert.equal((await scope.sandboxes.list(["id==s2"])).length, 0);
    await assert.rejects(scope.sandboxes.create(draft), {
      name: "AlreadyExists",
      message: 'write error: sandbox bucket "s1" already exists: already exists',
    });
    await scope.sandboxes.create({ ...draft, id: "s2" });
    await scope.sandboxes.delete("s1");
    await assert.rejects(scope.sandboxes.delete("s1"), {
      name: "NotFound",
      message: 'failed to delete sandbox "s1": not found',
    });
  });
});
