import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mediaTypes } from "@longshore/oci";
import { parseNormalized } from "@longshore/reference";
import { FaultRegistry, digest256, onFirst } from "./fault-registry.ts";
import { Connections, Registry, fixedSchemeHosts } from "./index.ts";

const retry = { attempts: 4, firstDelayMs: 1, maxDelayMs: 5 };

describe("push", () => {
  let server: FaultRegistry;
  let connections: Connections;
  let registry: Registry;
  beforeEach(async () => {
    server = await new FaultRegistry().listen();
    connections = new Connections();
    registry = new Registry({ hosts: fixedSchemeHosts("http"), connections, retry });
  });
  afterEach(async () => {
    await connections.close();
    await server[Symbol.asyncDispose]();
  });
  const named = (name: string) => parseNormalized(`${server.host}/${name}`);

  const content = randomBytes(400_000);
  const descriptor = { mediaType: mediaTypes.ociLayer, digest: digest256(content), size: content.length };
  const open = async function* (offset: number): AsyncGenerator<Uint8Array> {
    for (let at = offset; at < content.length; at += 32_768) yield content.subarray(at, Math.min(at + 32_768, content.length));
  };

  it("uploads a blob that is not there and leaves one that is", async () => {
    const progress: number[] = [];
    assert.deepEqual(await registry.push(named("x"), descriptor, open, { onProgress: (sent) => progress.push(sent) }), { status: "pushed" });
    assert.deepEqual(server.blobs.get(descriptor.digest), content);
    assert.equal(progress.at(-1), content.length);
    assert.deepEqual(await registry.push(named("x"), descriptor, open), { status: "exists" });
  });

  it("mounts from another repository", async () => {
    server.addBlob(content);
    server.faults.push(onFirst(1, /HEAD/, (_, response) => Boolean(response.writeHead(404).end())));
    assert.deepEqual(await registry.push(named("x"), descriptor, open, { mountFrom: ["other/y"] }), { status: "mounted", from: "other/y" });
  });

  it("resumes an upload whose connection broke", async () => {
    server.faults.push(
      onFirst(1, /PUT .*uploads/, (request) => {
        let got = 0;
        const id = /uploads\/([^?]+)/.exec(request.url ?? "")?.[1] ?? "";
        request.on("data", (chunk: Buffer) => {
          got += chunk.length;
          server.uploads.set(id, content.subarray(0, got));
          if (got > 100_000) request.socket.destroy();
        });
        return true;
      }),
    );
    assert.deepEqual(await registry.push(named("x"), descriptor, open), { status: "pushed" });
    assert.deepEqual(server.blobs.get(descriptor.digest), content);
    assert.ok(server.log.some((line) => line.startsWith("PATCH")));
  });

  it("puts a manifest under its tag", async () => {
    const bytes = Buffer.from("{}");
    const manifest = { mediaType: mediaTypes.ociManifest, digest: digest256(bytes), size: 2 };
    const one = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes;
    };
    assert.deepEqual(await registry.push(named("x:1"), manifest, one, { tag: "1" }), { status: "pushed" });
    assert.equal(server.manifests.get("x:1")?.type, mediaTypes.ociManifest);
    assert.deepEqual(await registry.push(named("x:1"), manifest, one, { tag: "1" }), { status: "exists" });
  });

  it("gives the registry's words for a refusal", async () => {
    server.faults.push((_, response) => server.fail(response, 401, "UNAUTHORIZED", "authentication required"));
    await assert.rejects(registry.push(named("x"), descriptor, open), {
      name: "Unauthenticated",
      message: "push access denied, repository does not exist or may require authorization: server message: unauthorized: authentication required",
    });
  });
});
