import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { isKind } from "@longshore/errdefs";
import { WriteAction } from "@longshore/proto/containerd/services/content/v1/content";
import { blobInfo, labelBlob, readDocument, readPresent, writeBlob, writeDocument } from "../../content/blobs.ts";
import { withLease } from "../../leases/lease.ts";
import { type Subject, all, contextOf } from "./subject.ts";

const digestOf = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const missing = digestOf("missing");

async function* one<T>(...items: T[]): AsyncGenerator<T> {
  yield* items;
}

export function contentContract(subject: Subject): void {
  it("writes, labels, reads and lists blobs; what is there already is no error", async () => {
    const context = contextOf(subject());
    const { content } = subject().client;
    await withLease(context, async (lease) => {
      const { digest, size } = await writeDocument(context, lease, { a: 1 }, { x: "y" });
      assert.deepEqual([digest, size], [digestOf('{"a":1}'), 7]);
      assert.deepEqual(await writeDocument(context, lease, { a: 1 }), { digest, size });
      await labelBlob(context, digest, { z: "1" });
      assert.deepEqual(await blobInfo(context, digest), { size: 7, labels: { x: "y", z: "1" } });
      const parse = (name: string, text: string): string[] => [name, text];
      assert.deepEqual(await readDocument(context, digest, parse), [digest, '{"a":1}']);
      assert.deepEqual(await readPresent(context, digest, parse), [digest, '{"a":1}']);
      const listed = async (...filters: string[]): Promise<string[]> =>
        (await all(content.list({ filters }), ({ info }) => info)).map((info) => info.digest);
      assert.deepEqual(await listed("labels.z==1"), [digest]);
      assert.deepEqual(await listed(`digest==${missing}`), []);
      await content.delete({ digest });
      assert.equal(await blobInfo(context, digest), undefined);
    });
  });

  it("writes large blobs in pieces, and reads parts of them", async () => {
    const context = contextOf(subject());
    await withLease(context, async (lease) => {
      const bytes = Buffer.alloc(2_500_000, "0123456789");
      const { digest } = await writeBlob(context, lease, [bytes.subarray(0, 1_100_000), bytes.subarray(1_100_000)]);
      const read = async (offset: bigint, size: bigint): Promise<string> => {
        const chunks: Uint8Array[] = [];
        for await (const { data } of subject().client.content.read({ digest, offset, size })) chunks.push(data);
        return Buffer.concat(chunks).toString();
      };
      assert.equal(digestOf(await read(0n, 0n)), digest);
      assert.equal(await read(2_499_995n, 0n), "56789");
      assert.equal(await read(1_000_001n, 3n), "123");
      await assert.rejects(read(2_500_001n, 0n), { name: "OutOfRange" });
    });
  });

  it("resumes an ingest where it was left, and refuses what does not fit", async () => {
    const { content } = subject().client;
    const write = (...messages: { offset?: bigint; data?: string; action: WriteAction; expected?: string }[]) =>
      Array.fromAsync(
        content.write(
          one(...messages.map(({ data = "", ...rest }) => ({ ref: "resumed", data: Buffer.from(data), ...rest }))),
        ),
      );
    await write({ action: WriteAction.WRITE, data: "first " });
    const { status } = await content.status({ ref: "resumed" });
    assert.equal(status?.offset, 6n);
    const refs = (await content.listStatuses({})).statuses.map(({ ref }) => ref);
    assert.deepEqual(refs, ["resumed"]);
    await assert.rejects(write({ action: WriteAction.WRITE, offset: 3n, data: "x" }), { name: "OutOfRange" });
    await assert.rejects(write({ action: WriteAction.COMMIT, offset: 6n, expected: missing }), {
      name: "FailedPrecondition",
    });
    const answers = await write(
      { action: WriteAction.STAT },
      { action: WriteAction.WRITE, offset: 6n, data: "then" },
      { action: WriteAction.COMMIT, offset: 10n },
    );
    assert.deepEqual(
      // The stock one repeats its last answer.
      answers.slice(0, 3).map(({ offset }) => offset),
      [6n, 10n, 10n],
    );
    assert.equal(answers.at(-1)?.digest, digestOf("first then"));
    await assert.rejects(content.status({ ref: "resumed" }), { name: "NotFound" });
    await assert.rejects(write({ action: WriteAction.WRITE, expected: digestOf("first then") }), {
      name: "AlreadyExists",
    });
    await content.delete({ digest: digestOf("first then") });
  });

  it("refuses what is not there", async () => {
    const { content } = subject().client;
    for (const call of [
      () => content.info({ digest: missing }),
      () => content.update({ info: { digest: missing } }),
      () => content.delete({ digest: missing }),
      () => Array.fromAsync(content.read({ digest: missing })),
      () => content.abort({ ref: "never" }),
    ])
      await assert.rejects(call(), (error) => isKind(error, "NotFound"));
    await assert.rejects(content.info({ digest: "nonsense" }), { name: "InvalidArgument" });
  });
}
