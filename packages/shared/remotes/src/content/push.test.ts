import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mediaTypes } from "@longshore/oci";
import { digest256, onFirst } from "../testing/fault-registry.ts";
import { RegistryRig } from "../testing/registry-rig.ts";

describe("push", () => {
  let rig: RegistryRig;
  beforeEach(async () => (rig = await RegistryRig.open()));
  afterEach(() => rig.close());

  const content = randomBytes(400_000);
  const descriptor = { mediaType: mediaTypes.ociLayer, digest: digest256(content), size: content.length };
  const open = async function* (offset: number): AsyncGenerator<Uint8Array> {
    for (let at = offset; at < content.length; at += 32_768)
      yield content.subarray(at, Math.min(at + 32_768, content.length));
  };

  it("uploads a blob that is not there and leaves one that is", async () => {
    const progress: number[] = [];
    assert.deepEqual(
      await rig.registry.push(rig.named("x"), descriptor, open, { onProgress: (sent) => progress.push(sent) }),
      { status: "pushed" },
    );
    assert.deepEqual(rig.server.blobs.get(descriptor.digest), content);
    assert.equal(progress.at(-1), content.length);
    assert.deepEqual(await rig.registry.push(rig.named("x"), descriptor, open), { status: "exists" });
  });

  it("mounts from another repository", async () => {
    rig.server.addBlob(content);
    rig.server.faults.push(onFirst(1, /HEAD/, (_, response) => Boolean(response.writeHead(404).end())));
    assert.deepEqual(await rig.registry.push(rig.named("x"), descriptor, open, { mountFrom: ["other/y"] }), {
      status: "mounted",
      from: "other/y",
    });
  });

  it("resumes an upload whose connection broke", async () => {
    rig.server.faults.push(
      onFirst(1, /PUT .*uploads/, (request) => {
        let got = 0;
        const id = /uploads\/([^?]+)/.exec(request.url ?? "")?.[1] ?? "";
        request.on("data", (chunk: Buffer) => {
          got += chunk.length;
          rig.server.uploads.set(id, content.subarray(0, got));
          if (got > 100_000) request.socket.destroy();
        });
        return true;
      }),
    );
    assert.deepEqual(await rig.registry.push(rig.named("x"), descriptor, open), { status: "pushed" });
    assert.deepEqual(rig.server.blobs.get(descriptor.digest), content);
    assert.ok(rig.server.log.some((line) => line.startsWith("PATCH")));
  });

  it("gives up a registry that takes nothing of an upload", async () => {
    const size = 64 << 20;
    const zeros = async function* (offset: number): AsyncGenerator<Uint8Array> {
      for (let at = offset; at < size; at += 1 << 20) yield Buffer.alloc(1 << 20);
    };
    rig.server.faults.push((request) => request.method === "PUT" && /uploads/.test(request.url ?? ""));
    await assert.rejects(rig.registry.push(rig.named("x"), { ...descriptor, size }, zeros), {
      name: "NetworkError",
      message: /less than 1000 bytes in 0\.2 seconds: i\/o timeout$/,
    });
  });

  it("puts a manifest under its tag", async () => {
    const bytes = Buffer.from("{}");
    const manifest = { mediaType: mediaTypes.ociManifest, digest: digest256(bytes), size: 2 };
    const one = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes;
    };
    assert.deepEqual(await rig.registry.push(rig.named("x:1"), manifest, one, { tag: "1" }), { status: "pushed" });
    assert.equal(rig.server.manifests.get("x:1")?.type, mediaTypes.ociManifest);
    assert.deepEqual(await rig.registry.push(rig.named("x:1"), manifest, one, { tag: "1" }), { status: "exists" });
  });

  it("gives the registry's words for a refusal", async () => {
    rig.server.faults.push((_, response) => rig.server.fail(response, 401, "UNAUTHORIZED", "authentication required"));
    await assert.rejects(rig.registry.push(rig.named("x"), descriptor, open), {
      name: "Unauthenticated",
      message:
        "push access denied, repository does not exist or may require authorization: server message: unauthorized: authentication required",
    });
  });
});
