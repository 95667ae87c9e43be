import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalStore, digestOf } from "./index.ts";
import { ingestFiles } from "./ingest.ts";
import { contentStoreSuite } from "./testing/suite.ts";

describe("local content store", () => {
  let root: string;
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), "content-"))));
  afterEach(() => rmSync(root, { recursive: true }));

  contentStoreSuite(() => LocalStore.open(root));

  it("keeps blobs read-only in containerd's layout", async () => {
    const store = await LocalStore.open(root);
    const writer = await store.writer({ ref: "r" });
    await writer.write(Buffer.from("x"));
    const digest = await writer.commit(1, "");
    const path = join(root, "blobs", ...digest.split(":"));
    assert.equal(await store.path(digest), path);
    assert.equal(statSync(path).mode & 0o777, 0o444);
    assert.deepEqual(readdirSync(join(root, "ingest")), []);
  });

  it("clears away what a crash left and nobody can resume, and keeps the rest", async () => {
    await LocalStore.open(root);
    const ingests = join(root, "ingest");
    const leave = (ref: string, names: ("ref" | "startedAt" | "data" | "total")[]): void => {
      const files = ingestFiles(ingests, ref);
      mkdirSync(files.dir);
      const content = { ref, startedAt: new Date().toISOString(), data: "da", total: "7" };
      for (const name of names) writeFileSync(files[name], content[name]);
    };
    leave("made", []);
    leave("begun", ["ref"]);
    leave("no-data", ["ref", "startedAt", "total"]);
    leave("no-ref", ["startedAt", "data"]);
    leave("torn-total", ["ref", "startedAt", "data"]);
    writeFileSync(ingestFiles(ingests, "torn-total").total, "x");
    leave("whole", ["ref", "startedAt", "total", "data"]);
    const store = await LocalStore.open(root);
    assert.deepEqual(
      (await store.listStatuses()).map(({ ref, offset, total }) => [ref, offset, total]),
      [["whole", 2, 7]],
    );
    assert.equal(readdirSync(ingests).length, 1);
    const writer = await store.writer({ ref: "whole", size: 7 });
    assert.equal(writer.digest(), digestOf("da"));
    await writer.close();
  });

  it("resumes after SIGKILL in the middle of a write", async () => {
    const module = new URL("index.ts", import.meta.url).href;
    const script = `
      const { LocalStore } = await import(${JSON.stringify(module)});
      const writer = await (await LocalStore.open(${JSON.stringify(root)})).writer({ ref: "r" });
      const chunk = Buffer.alloc(4096, "k");
      for (let count = 0; ; count++) { await writer.write(chunk); if (count === 20) console.log("going"); }`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    const store = await LocalStore.open(root);
    const writer = await store.writer({ ref: "r" });
    const { offset } = writer.status();
    assert.ok(offset >= 20 * 4096);
    assert.equal(writer.digest(), digestOf(Buffer.alloc(offset, "k")));
    await writer.write(Buffer.from("end"));
    const digest = await writer.commit(offset + 3, "");
    assert.equal((await store.info(digest)).size, offset + 3);
  });
});
