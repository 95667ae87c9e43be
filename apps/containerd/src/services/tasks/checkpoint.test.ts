import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { ArchiveWorkers, Layers } from "@longshore/archive";
import { LocalStore } from "@longshore/content";
import { packAny } from "@longshore/proto";
import { CheckpointOptionsSchema, OptionsSchema } from "@longshore/proto/containerd/runc/v1/runc";
import { DescriptorSchema } from "@longshore/proto/containerd/types/types";
import { checkpointOf, takeCheckpoint } from "./checkpoint.ts";

describe("checkpoints", () => {
  let root: string;
  let content: LocalStore;
  const workers = new ArchiveWorkers();
  const layers = new Layers(workers);
  const container = { spec: { typeUrl: "t", value: Uint8Array.of(1) } };
  let taken = "";
  const task = {
    // What criu would leave.
    async checkpoint(path: string): Promise<void> {
      taken = path;
      mkdirSync(join(path, "sub"));
      writeFileSync(join(path, "sub", "pages-1.img"), "pages");
    },
  };

  before(async () => {
    root = mkdtempSync(join(tmpdir(), "checkpoint-"));
    content = await LocalStore.open(root);
  });
  after(async () => {
    await workers.close();
    rmSync(root, { recursive: true });
  });

  it("go to the content store and come back whole", async () => {
    const [images, config, ...more] = await takeCheckpoint(task, container, undefined, content, layers);
    assert.ok(images && config && more.length === 0);
    assert.equal(existsSync(taken), false);
    const unpack = checkpointOf({ checkpoint: create(DescriptorSchema, images) }, content, layers);
    assert.ok(typeof unpack === "function");
    const restored = join(root, "restored");
    mkdirSync(restored);
    await unpack(restored);
    assert.equal(readFileSync(join(restored, "sub", "pages-1.img"), "utf8"), "pages");
    assert.throws(
      () => checkpointOf({ checkpoint: create(DescriptorSchema, config) }, content, layers),
      /unsupported checkpoint type/,
    );
  });

  it("go to the directory that the options name, and are taken from there", async () => {
    const path = join(root, "mine");
    mkdirSync(path);
    assert.deepEqual(
      await takeCheckpoint(task, container, packAny(CheckpointOptionsSchema, { imagePath: path }), content, layers),
      [],
    );
    assert.equal(checkpointOf({ options: packAny(OptionsSchema, { criuImagePath: path }) }, content, layers), path);
    assert.ok(existsSync(join(path, "sub")));
  });
});
