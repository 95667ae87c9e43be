import assert from "node:assert/strict";
import { readdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { digestOf, writeBlob } from "@longshore/content";
import { Fixture, target } from "./fixture.ts";

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
    assert.deepEqual((await scope.images.list()).map(({ name }) => name), ["b"]);
    await fixture.metadata.collectGarbage();
    assert.equal((await scope.content.info(digestOf("unreferenced"))).size, 12);
    assert.deepEqual(fixture.metadata.damage(), ["a record of images (a) cannot be read and was set aside: labels is no JSON"]);
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
    await assert.rejects(fixture.open(), { name: "FailedPrecondition", message: /has schema 999, this release knows \d+/ });
    const again = new DatabaseSync(path);
    again.exec(`PRAGMA user_version = ${version}`);
    again.close();
    await fixture.open();
  });
});
