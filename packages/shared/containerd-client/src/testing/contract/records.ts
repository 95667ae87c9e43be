import assert from "node:assert/strict";
import { writeDocument } from "../../content/blobs.ts";
import { withLease } from "../../leases/lease.ts";
import { type Subject, contextOf } from "./subject.ts";

export function recordContract(subject: Subject): void {
  it("keeps images, which keep content by its labels", async () => {
    const { client } = subject();
    const context = contextOf(subject());
    const { images, leases, content } = client;
    const written = await withLease(context, async (lease) => {
      const below = await writeDocument(context, lease, { below: true });
      const above = await writeDocument(context, lease, { below }, { "containerd.io/gc.ref.content.0": below.digest });
      const target = { mediaType: "text/plain", digest: above.digest, size: BigInt(above.size) };
      await images.create({ image: { name: "example.org/one:1", labels: { a: "1" }, target } });
      await assert.rejects(images.create({ image: { name: "example.org/one:1", target } }), { name: "AlreadyExists" });
      return { below, above, target };
    });
    const { target } = written;
    await leases.create({ id: "sync" });
    await leases.delete({ id: "sync", sync: true });
    await content.info({ digest: written.below.digest });
    const { image } = await images.update({
      image: { name: "example.org/one:1", labels: { b: "2" }, target },
      updateMask: { paths: ["labels"] },
    });
    assert.deepEqual([image?.labels, image?.target?.digest], [{ b: "2" }, target.digest]);
    const named = async (filter: string): Promise<string[]> =>
      (await images.list({ filters: [filter] })).images.map(({ name }) => name);
    assert.deepEqual(await named(`target.digest==${target.digest}`), ["example.org/one:1"]);
    assert.deepEqual(await named("target.digest~=/^sha256:zz/"), []);
    assert.deepEqual(await named("labels.b==2"), ["example.org/one:1"]);
    await assert.rejects(
      images.delete({ name: "example.org/one:1", target: { ...target, digest: written.below.digest } }),
      { name: "NotFound" },
    );
    await images.delete({ name: "example.org/one:1", sync: true });
    await assert.rejects(images.get({ name: "example.org/one:1" }), { name: "NotFound" });
    for (const { digest } of [written.above, written.below])
      await assert.rejects(content.info({ digest }), { name: "NotFound" });
  });

  it("keeps containers' records, and updates what a mask names", async () => {
    const { client, runtime, snapshotter, spec } = subject();
    const { containers } = client;
    const container = {
      id: "one",
      image: "i",
      labels: { a: "1", b: "1" },
      runtime: { name: runtime },
      spec: spec("one", ["true"]),
      snapshotter,
      snapshotKey: "one",
    };
    await containers.create({ container });
    await assert.rejects(containers.create({ container }), { name: "AlreadyExists" });
    const { container: updated } = await containers.update({
      container: { id: "one", labels: { a: "2", b: "2" }, spec: spec("one", ["false"]) },
      updateMask: { paths: ["labels.a", "spec"] },
    });
    assert.deepEqual(updated?.labels, { a: "2", b: "1" });
    assert.deepEqual(Buffer.from(updated?.spec?.value ?? []), Buffer.from(spec("one", ["false"]).value ?? []));
    assert.equal(updated?.image, "i");
    const { containers: listed } = await containers.list({ filters: ["labels.a==2"] });
    assert.deepEqual(
      listed.map(({ id }) => id),
      ["one"],
    );
    assert.deepEqual((await containers.list({ filters: ["labels.a==1"] })).containers, []);
    await containers.delete({ id: "one" });
    for (const call of [() => containers.get({ id: "one" }), () => containers.delete({ id: "one" })])
      await assert.rejects(call, { name: "NotFound" });
    await assert.rejects(containers.update({ container: { id: "one" } }), { name: "NotFound" });
  });

  it("knows its namespace", async () => {
    const { client, namespace } = subject();
    const { namespaces } = await client.namespaces.list({});
    assert.ok(namespaces.some(({ name }) => name === namespace));
    await assert.rejects(client.namespaces.delete({ name: `${namespace}-none` }), { name: "NotFound" });
    assert.match((await client.version.version({})).version, /^v?2\./);
  });
}
