import assert from "node:assert/strict";
import { readdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { digestOf, writeBlob } from "@longshore/content";
import { silent } from "@longshore/logger";
import { Containers } from "../records/containers.ts";
import { ScopedContent } from "../content/content.ts";
import { Database } from "./database.ts";
import type { Environment } from "../environment.ts";
import { Fixture, target } from "../testing/fixture.ts";
import { Images } from "../records/images.ts";
import { Leases } from "../records/leases.ts";
import { Sandboxes } from "../records/sandboxes.ts";
import { ScopedSnapshotter } from "../snapshots/snapshots.ts";

const plainContainer = {
  labels: {},
  image: "",
  runtime: { name: "r" },
  spec: { typeUrl: "s", value: new Uint8Array() },
  snapshotter: "",
  snapshotKey: "",
  sandbox: "",
  extensions: {},
};

const nameColumns = { images: "name", containers: "id", sandboxes: "id", leases: "id", snapshots: "key" };

describe("damaged metadata", () => {
  let fixture: Fixture;
  let path: string;
  beforeEach(async () => {
    fixture = new Fixture();
    path = join(fixture.root, "metadata", "meta.db");
    const scope = await fixture.open();
    for (const name of ["a", "b"]) await scope.images.create({ name, labels: {}, target: target(name) });
    await writeBlob(scope.content, { ref: "r" }, Buffer.from("unreferenced"));
    await fixture.metadata.close();
  });
  afterEach(() => fixture.remove());

  it("sets one unreadable record aside, serves the others and collects nothing", async () => {
    const database = new DatabaseSync(path);
    database.exec("UPDATE images SET labels = '{broken' WHERE name = 'a'");
    database.close();
    const scope = await fixture.open();
    assert.deepEqual(
      (await scope.images.list()).map(({ name }) => name),
      ["b"],
    );
    await fixture.metadata.collectGarbage();
    assert.equal((await scope.content.info(digestOf("unreferenced"))).size, 12);
    assert.deepEqual(fixture.metadata.damage(), [
      "a record of images (a) cannot be read and was set aside: labels is no JSON; nothing is collected until it is deleted or made anew",
    ]);
  });

  for (const [what, change, problem] of [
    ["a size that no number holds", `UPDATE images SET size = ${1n << 60n} WHERE name = 'a'`, "size is no integer"],
    [
      "a time that is none",
      `UPDATE images SET created_at = ${8n * 10n ** 15n + 10n ** 15n} WHERE name = 'a'`,
      "created_at is no time",
    ],
    [
      "annotations that are a list",
      "UPDATE images SET annotations = '[]' WHERE name = 'a'",
      "annotations is no JSON object",
    ],
  ] as const) {
    it(`starts with a record that has ${what}, and sets it aside`, async () => {
      const database = new DatabaseSync(path);
      database.exec(change);
      database.close();
      const scope = await fixture.open();
      assert.deepEqual(
        (await scope.images.list()).map(({ name }) => name),
        ["b"],
      );
      assert.deepEqual(fixture.metadata.damage(), [
        `a record of images (a) cannot be read and was set aside: ${problem}; nothing is collected until it is deleted or made anew`,
      ]);
    });
  }

  it("lists the others of every kind when one cannot be read, and sets it aside", async () => {
    const scope = await fixture.open();
    for (const id of ["a", "b"]) {
      await scope.containers.create({ id, ...plainContainer });
      await scope.sandboxes.create({ id, labels: {}, runtime: { name: "r" }, sandboxer: "", extensions: {} });
      await scope.leases.create(id, {});
      await scope.snapshotter("overlayfs").prepare(id, "");
      await writeBlob(scope.content, { ref: id }, Buffer.from(id));
    }
    await fixture.metadata.close();
    const database = Database.open(path);
    const env = { database, logger: silent } as unknown as Environment;
    for (const [table, column] of Object.entries(nameColumns))
      database.run(`UPDATE ${table} SET created_at = ${1n << 60n} WHERE ${column} = 'a'`);
    database.run(`UPDATE blobs SET size = ${1n << 60n} WHERE digest = ?`, digestOf("a"));
    const keys = async <T>(list: AsyncIterable<T> | Promise<T[]>, key: (item: T) => string): Promise<string[]> =>
      (await Array.fromAsync(await list)).map(key);
    assert.deepEqual(await keys(new Images(env, "test").list(), ({ name }) => name), ["b"]);
    assert.deepEqual(await keys(new Containers(env, "test").list(), ({ id }) => id), ["b"]);
    assert.deepEqual(await keys(new Sandboxes(env, "test").list(), ({ id }) => id), ["b"]);
    assert.deepEqual(await keys(new Leases(env, "test").list(), ({ id }) => id), ["b"]);
    assert.deepEqual(
      await keys(
        new ScopedSnapshotter(env, { namespace: "test" }, "overlayfs", fixture.snapshotter).list(),
        ({ name }) => name,
      ),
      ["b"],
    );
    assert.deepEqual(
      await keys(new ScopedContent(env, { namespace: "test" }).list(), ({ digest }) => digest),
      [digestOf("b"), digestOf("unreferenced")].toSorted(),
    );
    database.close();
    await fixture.open();
    assert.equal(fixture.metadata.damage().length, 6);
  });

  describe("collects again, without a restart,", () => {
    /** Makes the records named `a` of each kind unreadable; a list sets them aside while containerd runs. */
    async function damagedWhileOpen(): Promise<Awaited<ReturnType<Fixture["open"]>>> {
      const scope = await fixture.open();
      await scope.containers.create({ id: "a", ...plainContainer });
      await scope.sandboxes.create({ id: "a", labels: {}, runtime: { name: "r" }, sandboxer: "", extensions: {} });
      await scope.leases.create("a", {});
      await scope.snapshotter("overlayfs").prepare("a", "");
      await writeBlob(scope.content, { ref: "a" }, Buffer.from("a"));
      await fixture.metadata.close();
      const database = Database.open(path);
      for (const [table, column] of Object.entries(nameColumns))
        database.run(`UPDATE ${table} SET created_at = ${1n << 60n} WHERE ${column} = 'a'`);
      database.run(`UPDATE blobs SET size = ${1n << 60n} WHERE digest = ?`, digestOf("a"));
      database.close();
      const again = await fixture.open();
      await fixture.metadata.collectGarbage();
      assert.equal(fixture.metadata.damage().length, 6);
      assert.ok(await again.content.info(digestOf("unreferenced")));
      return again;
    }

    async function collects(content: { info(digest: string): Promise<unknown> }): Promise<void> {
      assert.deepEqual(fixture.metadata.damage(), []);
      await fixture.metadata.collectGarbage();
      await assert.rejects(content.info(digestOf("unreferenced")), /not found/);
    }

    it("when what was set aside is deleted", async () => {
      const scope = await damagedWhileOpen();
      await scope.images.delete("a");
      await scope.containers.delete("a");
      await scope.sandboxes.delete("a");
      await scope.leases.delete("a");
      await scope.snapshotter("overlayfs").remove("a");
      assert.equal(fixture.metadata.damage().length, 1);
      await scope.content.delete(digestOf("a"));
      await collects(scope.content);
      await assert.rejects(scope.images.delete("a"), { name: "NotFound" });
      await assert.rejects(scope.sandboxes.delete("a"), { name: "NotFound" });
    });

    it("when it is made anew", async () => {
      const scope = await damagedWhileOpen();
      await scope.images.create({ name: "a", labels: {}, target: target("a") });
      await scope.containers.create({ id: "a", ...plainContainer });
      await scope.sandboxes.create({ id: "a", labels: {}, runtime: { name: "r" }, sandboxer: "", extensions: {} });
      await scope.leases.create("a", {});
      await scope.snapshotter("overlayfs").prepare("a", "");
      assert.equal(fixture.metadata.damage().length, 1);
      await writeBlob(scope.content, { ref: "again" }, Buffer.from("a"));
      await collects(scope.content);
    });
  });

  it("sets a file aside that is no database, and keeps the blobs", async () => {
    writeFileSync(path, "no database at all, but long enough to look like one".repeat(100));
    const scope = await fixture.open();
    assert.deepEqual(await scope.images.list(), []);
    await fixture.metadata.collectGarbage();
    assert.equal((await fixture.content.info(digestOf("unreferenced"))).size, 12);
    assert.ok(readdirSync(join(fixture.root, "metadata")).some((name) => name.startsWith("meta.db.damaged-")));
  });

  it("starts with a database that was cut short", async () => {
    truncateSync(path, statSync(path).size - 4096 * 3);
    const scope = await fixture.open();
    await scope.images.create({ name: "new", labels: {}, target: target("new") });
  });

  it("refuses the database of a newer release", async () => {
    const database = new DatabaseSync(path);
    const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
    database.exec("PRAGMA user_version = 999");
    database.close();
    await assert.rejects(fixture.open(), {
      name: "FailedPrecondition",
      message: /has schema 999, this release knows \d+/,
    });
    const again = new DatabaseSync(path);
    again.exec(`PRAGMA user_version = ${version}`);
    again.close();
    await fixture.open();
  });
});
