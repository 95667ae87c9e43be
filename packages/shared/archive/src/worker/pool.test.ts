import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountAll } from "@longshore/sys";
import { ArchiveWorkers, Layers } from "../index.ts";
import { collect, stream, tarOf } from "../testing/tars.ts";
import type { ApplyOptions } from "../apply/apply.ts";

describe("archive workers", () => {
  let dir: string;
  let workers: ArchiveWorkers;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "workers-"));
    workers = new ArchiveWorkers({ size: 2, idleMs: 50 });
  });
  afterEach(async () => {
    await workers.close();
    rmSync(dir, { recursive: true });
  });

  function target(name: string): ApplyOptions {
    mkdirSync(join(dir, name));
    return { root: join(dir, name), whiteouts: "overlay", lowers: [], syncFs: false };
  }

  it("does more jobs than it has threads, each on its own", async () => {
    const jobs = Array.from({ length: 7 }, (_, index) => {
      const tar = tarOf({ name: `file-${index}`, data: "x".repeat(index * 100_000) });
      return workers.run("apply", target(`root-${index}`), { input: stream(tar) });
    });
    const results = await Promise.all(jobs);
    for (const index of results.keys()) assert.ok(existsSync(join(dir, `root-${index}/file-${index}`)));
    assert.equal(new Set(results.map(({ diffId }) => diffId)).size, 7);
  });

  it("brings an error back as what it was, and goes on", async () => {
    const { root } = target("a");
    await assert.rejects(
      workers.run("unpack", { root, path: "/none", noOverwriteDirNonDir: false }, { input: stream(tarOf()) }),
      { name: "NotFound" },
    );
    await assert.rejects(
      workers.run("apply", { root, whiteouts: "overlay", lowers: [], syncFs: false, path: join(dir, "none") }),
      /no such file or directory/,
    );
    assert.equal((await workers.run("apply", target("b"), { input: stream(tarOf({ name: "f" })) })).size, 2048 - 512);
  });

  it("cancels a job that waits or runs", async () => {
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield tarOf({ name: "big", data: "" }).subarray(0, 512);
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve));
        yield Buffer.alloc(512);
      }
    }
    const abort = new AbortController();
    const job = workers.run("apply", target("c"), { input: endless(), signal: abort.signal });
    abort.abort();
    await assert.rejects(job, { name: "Canceled" });
    await assert.rejects(
      workers.run("changes", { trees: { upper: dir, lowers: [] } }, { signal: AbortSignal.abort() }),
      { name: "Canceled" },
    );
  });

  it("fails what runs when it is closed, and takes no more", async () => {
    writeFileSync(join(dir, "big"), Buffer.alloc(30_000_000));
    const packing = workers.stream("pack", { root: dir, path: "/big", include: "self" });
    await packing.next();
    await workers.close();
    await assert.rejects(collect(packing));
    await assert.rejects(workers.run("changes", { trees: { upper: dir, lowers: [] } }), { name: "Canceled" });
  });

  it("unmounts what a killed process left", () => {
    const left = join(dir, "mounts/longshore-mount-abc");
    mkdirSync(left, { recursive: true });
    mkdirSync(join(dir, "source"));
    mountAll([{ type: "bind", source: join(dir, "source"), options: ["rbind"] }], left);
    assert.ok(new Layers(workers, join(dir, "mounts")));
    assert.deepEqual(readdirSync(join(dir, "mounts")), []);
    assert.ok(existsSync(join(dir, "source")));
  });

  it("unpacks onto mounts as the snapshotter gives them", async () => {
    const blob = join(dir, "blob");
    writeFileSync(blob, tarOf({ name: "new", data: "" }, { name: ".wh.old" }));
    for (const name of ["lower", "upper", "work", "plain"]) mkdirSync(join(dir, name));
    writeFileSync(join(dir, "lower/old"), "");
    writeFileSync(join(dir, "plain/old"), "");
    const layers = new Layers(workers);
    const content = { path: async () => blob };
    const layer = { digest: "sha256:0", mediaType: "application/vnd.oci.image.layer.v1.tar" };
    const overlay = {
      type: "overlay",
      source: "overlay",
      options: [`workdir=${join(dir, "work")}`, `upperdir=${join(dir, "upper")}`, `lowerdir=${join(dir, "lower")}`],
    };
    await layers.apply(content, layer, [overlay], undefined, true);
    assert.deepEqual(await layers.changes([{ type: "bind", source: join(dir, "lower"), options: ["ro"] }], [overlay]), [
      { kind: "add", path: "/new" },
      { kind: "delete", path: "/old" },
    ]);
    await layers.apply(content, layer, [{ type: "bind", source: join(dir, "plain"), options: ["rw", "rbind"] }]);
    assert.ok(!existsSync(join(dir, "plain/old")) && existsSync(join(dir, "plain/new")));
    // Two mounts are more than a folder: they are really mounted.
    mkdirSync(join(dir, "plain/sub"));
    await layers.apply(content, layer, [
      { type: "bind", source: join(dir, "lower"), options: ["rw", "rbind"] },
      { type: "bind", source: join(dir, "plain"), options: ["rw", "rbind"] },
    ]);
    await assert.rejects(
      layers.apply(content, { ...layer, mediaType: "application/vnd.oci.image.layer.v1.tar+encrypted" }, [overlay]),
      { name: "NotImplemented" },
    );
  });
});
