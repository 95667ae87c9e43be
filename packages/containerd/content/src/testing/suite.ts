import assert from "node:assert/strict";
import { type ErrorKind, isKind } from "@longshore/errdefs";
import { digestOf, readBlob, writeBlob } from "../index.ts";
import type { Info, Store } from "../index.ts";

const of =
  (kind: ErrorKind, text: RegExp) =>
  (error: Error): boolean =>
    isKind(error, kind) && text.test(error.message);

async function collect(source: AsyncIterable<Info>): Promise<string[]> {
  const digests: string[] = [];
  for await (const { digest } of source) digests.push(digest);
  return digests;
}

async function text(source: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts).toString();
}

/** What every content store must do; run by each implementation's tests. @param open gives an empty store */
export function contentStoreSuite(open: () => Promise<Store>): void {
  let store: Store;
  const hello = Buffer.from("hello");
  const digest = digestOf(hello);

  beforeEach(async () => {
    store = await open();
  });

  it("publishes what is written, once it is whole", async () => {
    const writer = await store.writer({ ref: "r", size: 5, expected: digest });
    await writer.write(hello.subarray(0, 2));
    await assert.rejects(store.info(digest), of("NotFound", /content (digest )?sha256:\w+: not found/));
    const { offset, total } = await store.status("r");
    assert.deepEqual([offset, total], [2, 5]);
    await writer.write(hello.subarray(2));
    assert.equal(writer.digest(), digest);
    assert.equal(await writer.commit(5, digest), digest);
    await writer.close();
    assert.equal((await store.info(digest)).size, 5);
    assert.deepEqual(await collect(store.list()), [digest]);
    assert.deepEqual(await store.listStatuses(), []);
    await assert.rejects(store.status("r"), of("NotFound", /not found/));
  });

  it("reads ranges", async () => {
    await writeBlob(store, { ref: "r", size: 5, expected: digest }, hello);
    assert.equal(await text(store.read(digest)), "hello");
    assert.equal(await text(store.read(digest, 1, 2)), "el");
    assert.equal(await text(store.read(digest, 3, 100)), "lo");
    assert.equal(await text(store.read(digest, 5)), "");
    await assert.rejects(text(store.read(digest, 6)), of("OutOfRange", /read past object length 5 bytes/));
    assert.equal((await readBlob(store, digest)).toString(), "hello");
  });

  it("gives large blobs in pieces", async () => {
    const large = Buffer.alloc((2 << 20) + 7, "x");
    const expected = await writeBlob(store, { ref: "large" }, large);
    const sizes: number[] = [];
    for await (const part of store.read(expected)) sizes.push(part.length);
    assert.deepEqual(sizes, [1 << 20, 1 << 20, 7]);
  });

  it("resumes an ingest with its digest", async () => {
    const first = await store.writer({ ref: "r", size: 5 });
    await first.write(hello.subarray(0, 3));
    await first.close();
    const second = await store.writer({ ref: "r", size: 5 });
    assert.equal(second.status().offset, 3);
    assert.equal(second.digest(), digestOf("hel"));
    await second.write(hello.subarray(3));
    assert.equal(await second.commit(5, digest), digest);
  });

  it("starts anew on reset, and when the size is another", async () => {
    const first = await store.writer({ ref: "r", size: 5 });
    await first.write(hello);
    await first.reset();
    assert.equal(first.digest(), digestOf(""));
    await first.write(Buffer.from("abc"));
    await first.close();
    const second = await store.writer({ ref: "r", size: 7 });
    assert.equal(second.status().offset, 0);
    await second.close();
    assert.equal((await store.status("r")).offset, 3, "what is held goes only when it is written over");
    const third = await store.writer({ ref: "r", size: 2 });
    await third.write(Buffer.from("xy"));
    assert.equal(await third.commit(2, ""), digestOf("xy"));
  });

  it("lets one writer hold a ref", async () => {
    const writer = await store.writer({ ref: "r" });
    await assert.rejects(store.writer({ ref: "r" }), of("Unavailable", /^ref .*r locked for /));
    await writer.close();
    await (await store.writer({ ref: "r" })).close();
    await store.abort("r");
    await assert.rejects(store.abort("r"), of("NotFound", /^reference r: not found$/));
  });

  it("refuses a wrong digest or size and publishes nothing", async () => {
    const wrong = await store.writer({ ref: "a" });
    await wrong.write(hello);
    await assert.rejects(
      wrong.commit(5, digestOf("other")),
      of("FailedPrecondition", /unexpected commit digest sha256:\w+, expected sha256:\w+/),
    );
    const short = await store.writer({ ref: "b" });
    await short.write(hello);
    await assert.rejects(short.commit(6, ""), of("FailedPrecondition", /size/));
    await short.close();
    assert.deepEqual(await collect(store.list()), []);
    assert.deepEqual((await store.listStatuses()).map(({ ref }) => ref).toSorted(), ["a", "b"]);
    await assert.rejects(short.write(hello), of("FailedPrecondition", /closed/));
  });

  it("says that a blob is there already", async () => {
    await writeBlob(store, { ref: "r", expected: digest }, hello);
    await assert.rejects(
      store.writer({ ref: "s", expected: digest }),
      of("AlreadyExists", /^content sha256:\w+: already exists$/),
    );
    const writer = await store.writer({ ref: "s" });
    await writer.write(hello);
    await assert.rejects(writer.commit(5, ""), of("AlreadyExists", /^content sha256:\w+: already exists$/));
    assert.equal(await writeBlob(store, { ref: "t" }, hello), digest);
    assert.deepEqual(await store.listStatuses(), []);
  });

  it("deletes, lists by filter, and refuses what is no digest", async () => {
    const other = await writeBlob(store, { ref: "o" }, Buffer.from("other"));
    await writeBlob(store, { ref: "r" }, hello);
    assert.deepEqual(await collect(store.list([`digest==${other}`])), [other]);
    await store.delete(digest);
    assert.deepEqual(await collect(store.list()), [other]);
    await assert.rejects(store.delete(digest), of("NotFound", /not found/));
    for (const bad of ["foo", "sha256:abc", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:../../../../etc/passwd"]) {
      await assert.rejects(store.info(bad), of("InvalidArgument", /./));
    }
  });

  it("lists ingests by ref", async () => {
    for (const ref of ["layer-1", "layer-2"]) await (await store.writer({ ref })).close();
    assert.deepEqual(
      (await store.listStatuses(["ref==layer-2"])).map(({ ref }) => ref),
      ["layer-2"],
    );
    assert.equal((await store.listStatuses()).length, 2);
  });
}
