import assert from "node:assert/strict";
import { endFormerLeases, withLease } from "../../leases/lease.ts";
import { writeBlob } from "../../content/blobs.ts";
import { type Subject, contextOf } from "./subject.ts";

const bytes = (text: string): Uint8Array[] => [Buffer.from(text)];

export function leaseContract(subject: Subject): void {
  const ids = async (): Promise<string[]> => (await subject().client.leases.list({})).leases.map(({ id }) => id);

  it("withLease keeps what is written under it until it ends", async () => {
    const { client } = subject();
    const context = contextOf(subject());
    let digest = "";
    let lease = "";
    await withLease(context, async (held) => {
      lease = held.id;
      ({ digest } = await writeBlob(context, held, bytes("kept by a lease")));
      const { resources } = await client.leases.listResources({ id: lease });
      assert.deepEqual(
        resources.map(({ type, id }) => [type, id]),
        [["content", digest]],
      );
      await client.leases.create({ id: "other" });
      await client.leases.delete({ id: "other", sync: true });
      await client.content.info({ digest });
    });
    assert.equal((await ids()).includes(lease), false);
    await client.leases.create({ id: "last" });
    await client.leases.delete({ id: "last", sync: true });
    await assert.rejects(client.content.info({ digest }), { name: "NotFound" });
  });

  it("withLease ends the lease when its work fails", async () => {
    await assert.rejects(
      withLease(contextOf(subject()), () => Promise.reject(new Error("no"))),
      /^Error: no$/,
    );
    assert.deepEqual(await ids(), []);
  });

  it("endFormerLeases ends those of its owner alone", async () => {
    const { client } = subject();
    await client.leases.create({ id: "mine", labels: { "longshore.engine": "contract" } });
    await client.leases.create({ id: "yours", labels: { "longshore.engine": "other" } });
    await endFormerLeases(contextOf(subject()));
    assert.deepEqual(await ids(), ["yours"]);
    await client.leases.delete({ id: "yours" });
  });

  it("refuses a lease that is there, and one that is not", async () => {
    const { leases } = subject().client;
    await leases.create({ id: "one" });
    await assert.rejects(leases.create({ id: "one" }), { name: "AlreadyExists" });
    await assert.rejects(leases.addResource({ id: "one", resource: { type: "nonsense", id: "x" } }), {
      name: "NotImplemented",
    });
    await leases.delete({ id: "one" });
    await assert.rejects(leases.delete({ id: "one" }), { name: "NotFound" });
    await assert.rejects(leases.listResources({ id: "one" }), { name: "NotFound" });
  });
}
