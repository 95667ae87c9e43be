import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { mediaTypes } from "@longshore/oci";
import { parseNormalized } from "@longshore/reference";
import { type Fault, FaultRegistry, onFirst } from "./testing/fault-registry.ts";
import { Registry, RegistryError, type RegistryHost, dockerHosts, readVerified, verified } from "./index.ts";
import { RegistryRig, retry } from "./testing/registry-rig.ts";

describe("remotes", () => {
  let rig: RegistryRig;
  beforeEach(async () => (rig = await RegistryRig.open()));
  afterEach(() => rig.close());
  const fetch = (
    descriptor: { mediaType: string; digest: string; size: number },
    offset = 0,
    registry = rig.registry,
  ) => registry.fetch(rig.named("x"), descriptor, { offset });
  async function bytesOf(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  describe("resolve", () => {
    it("finds a manifest by tag and by digest with one HEAD", async () => {
      const manifest = rig.server.addManifest("x", "1", mediaTypes.ociManifest, { schemaVersion: 2 });
      assert.deepEqual(await rig.registry.resolve(rig.named("x:1")), manifest);
      assert.deepEqual(await rig.registry.resolve(rig.named(`x@${manifest.digest}`)), manifest);
      assert.deepEqual(rig.server.log, ["HEAD /v2/x/manifests/1", `HEAD /v2/x/manifests/${manifest.digest}`]);
    });

    it("falls back to GET where HEAD says too little", async () => {
      const manifest = rig.server.addManifest("x", "1", mediaTypes.dockerManifest, { schemaVersion: 2 });
      rig.server.faults.push(
        (request, response) => request.method === "HEAD" && Boolean(response.writeHead(405).end()),
      );
      assert.deepEqual(await rig.registry.resolve(rig.named("x:1")), manifest);
    });

    it("takes an answer with long headers", async () => {
      const manifest = rig.server.addManifest("x", "1", mediaTypes.ociManifest, { schemaVersion: 2 });
      rig.server.faults.push((_request, response) => {
        for (let cookie = 0; cookie < 21; cookie++)
          response.setHeader(`X-Policy-${cookie}`, "p".repeat(cookie === 0 ? 40_000 : 1000));
        return false;
      });
      assert.deepEqual(await rig.registry.resolve(rig.named("x:1")), manifest);
    });

    it("gives the registry's own words for what is not there", async () => {
      await assert.rejects(rig.registry.resolve(rig.named("x:1")), {
        name: "NotFound",
        message: `${rig.server.host}/x:1: not found: manifest unknown: manifest unknown`,
      });
    });

    it("refuses a manifest that is not the one asked for by digest", async () => {
      const manifest = rig.server.addManifest("x", "1", mediaTypes.ociManifest, { schemaVersion: 2 });
      const other = `sha256:${"a".repeat(64)}`;
      const entry = rig.server.manifests.get(`x@${manifest.digest}`);
      assert.ok(entry);
      rig.server.manifests.set(`x@${other}`, entry);
      await assert.rejects(rig.registry.resolve(rig.named(`x@${other}`)), {
        name: "FailedPrecondition",
        message: /unexpected digest/,
      });
    });

    it("words an unreachable registry as Docker does", async () => {
      await assert.rejects(rig.registry.resolve(parseNormalized("127.0.0.1:1/x:1")), {
        name: "NetworkError",
        message:
          'failed to do request: Head "http://127.0.0.1:1/v2/x/manifests/1": dial tcp 127.0.0.1:1: connect: connection refused',
      });
      await assert.rejects(rig.registry.resolve(parseNormalized("nohost.invalid/x:1")), {
        message:
          /^failed to do request: Head "http:\/\/nohost\.invalid\/v2\/x\/manifests\/1": dial tcp: lookup nohost\.invalid.*: (no such host|Temporary failure in name resolution)$/,
      });
    });

    it("does not hide a registry's answer behind a way to it that is closed", async () => {
      const base = { scheme: "http", host: rig.server.host, path: "/v2", capabilities: ["pull", "resolve"] } as const;
      const both = new Registry({
        hosts: async () => [base, { ...base, scheme: "https" }],
        connections: rig.connections,
        retry,
      });
      await assert.rejects(both.resolve(rig.named("x:1")), /manifest unknown/);
    });

    it("asks the registry itself what its mirror has not", async () => {
      await using mirror = await new FaultRegistry().listen();
      const manifest = rig.server.addManifest("x", "1", mediaTypes.ociManifest, { schemaVersion: 2 });
      const base = { scheme: "http", path: "/v2", capabilities: ["pull", "resolve"] } as const;
      const mirrored = new Registry({
        hosts: async () => [
          { ...base, host: mirror.host },
          { ...base, host: "127.0.0.1:1" },
          { ...base, host: rig.server.host },
        ],
        connections: rig.connections,
        retry,
      });
      assert.deepEqual(await mirrored.resolve(rig.named("x:1")), manifest);
      assert.ok(mirror.log.length > 0);
    });

    it("tries HTTPS on this machine first, then plain HTTP", async () => {
      const manifest = rig.server.addManifest("x", "1", mediaTypes.ociManifest, { schemaVersion: 2 });
      const docker = new Registry({ hosts: dockerHosts({ certsDirs: [] }), connections: rig.connections, retry });
      assert.deepEqual(await docker.resolve(rig.named("x:1")), manifest);
    });
  });

  describe("answers that are no manifest", () => {
    const manifestText = JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: {},
      layers: [],
    });
    for (const [what, type, body, problem = /unsupported manifest media type: (text|application|none)/] of [
      ["a web page", "text/html", "<html>"],
      ["a web page's type with a manifest of its own", "text/html; charset=utf-8", manifestText],
      ["text", "text/plain", manifestText],
      ["JSON of any kind", "application/json", manifestText],
      ["any file", "application/octet-stream", manifestText],
      ["no type", undefined, manifestText],
      ["more than a manifest has", mediaTypes.ociManifest, " ".repeat(5 << 20), /exceeds the limit of 4194304 bytes/],
    ] as const) {
      it(`are refused, as by Docker: ${what}`, async () => {
        rig.server.faults.push((request, response) => {
          response.writeHead(200, { ...(type && { "content-type": type }), "content-length": body.length });
          response.end(request.method === "HEAD" ? undefined : body);
          return true;
        });
        await assert.rejects(rig.registry.resolve(rig.named("x:1")), { name: "InvalidArgument", message: problem });
      });
    }
  });

  describe("retries", () => {
    for (const status of [429, 500, 503]) {
      it(`sends a request again after ${status}`, async () => {
        const manifest = rig.server.addManifest("x", "1", mediaTypes.ociManifest, { schemaVersion: 2 });
        rig.server.faults.push(
          onFirst(3, /HEAD/, (_, response) => Boolean(response.writeHead(status, { "retry-after": "0" }).end())),
        );
        assert.deepEqual(await rig.registry.resolve(rig.named("x:1")), manifest);
      });
    }

    it("gives up after some tries with the registry's message", async () => {
      rig.server.faults.push((_, response, own) => own.fail(response, 429, "TOOMANYREQUESTS", "slow down"));
      await assert.rejects(rig.registry.resolve(rig.named("x:1")), (error: unknown) => {
        assert.ok(error instanceof RegistryError);
        assert.equal(error.message, "toomanyrequests: slow down");
        assert.equal(error.status, 429);
        return true;
      });
    });

    it("survives a connection that is cut before the answer", async () => {
      const manifest = rig.server.addManifest("x", "1", mediaTypes.ociManifest, { schemaVersion: 2 });
      rig.server.faults.push(onFirst(2, /HEAD/, (request) => Boolean(request.socket.destroy())));
      assert.deepEqual(await rig.registry.resolve(rig.named("x:1")), manifest);
    });
  });

  describe("fetch", () => {
    const content = randomBytes(300_000);

    it("streams a blob and checks it", async () => {
      const blob = rig.server.addBlob(content);
      assert.deepEqual(await readVerified(fetch(blob), blob, 1 << 20), content);
      assert.deepEqual(await bytesOf(fetch(blob, 299_990)), content.subarray(299_990));
    });

    it("goes on from where a broken connection left it", async () => {
      const blob = rig.server.addBlob(content);
      rig.server.faults.push(
        onFirst(3, /GET/, (request, response) => {
          const from = Number(/\d+/.exec(request.headers.range ?? "0")?.[0]);
          response.writeHead(from > 0 ? 206 : 200, {
            "content-length": content.length - from,
            "content-range": `bytes ${from}-${content.length - 1}/${content.length}`,
          });
          response.write(content.subarray(from, from + 50_000), () => setImmediate(() => response.destroy()));
          return true;
        }),
      );
      assert.deepEqual(await readVerified(fetch(blob), blob, 1 << 20), content);
      const ranges = rig.server.requests.map(({ headers }) => headers.range);
      assert.equal(ranges[0], undefined);
      assert.ok(
        ranges.length > 1 && ranges.slice(1).every((range) => range !== undefined && range !== "bytes=0-"),
        String(ranges),
      );
    });

    it("copes with a registry that knows no ranges", async () => {
      const blob = rig.server.addBlob(content);
      rig.server.faults.push((request, response) => {
        if (request.headers.range === undefined) return false;
        response.writeHead(200).end(content);
        return true;
      });
      assert.deepEqual(await bytesOf(fetch(blob, 123_456)), content.subarray(123_456));
    });

    /** Answers with one byte of what is wanted, and breaks off. */
    const dripping: Fault = (request, response) => {
      if (request.method !== "GET") return false;
      const from = Number(/\d+/.exec(request.headers.range ?? "0")?.[0]);
      response.writeHead(from > 0 ? 206 : 200, {
        "content-length": content.length - from,
        "content-range": `bytes ${from}-${content.length - 1}/${content.length}`,
      });
      response.write(content.subarray(from, from + 1), () => setImmediate(() => response.destroy()));
      return true;
    };

    it("gives up a registry that sends one byte for each connection", async () => {
      const blob = rig.server.addBlob(content);
      rig.server.faults.push(dripping);
      await assert.rejects(bytesOf(fetch(blob)), { name: "NetworkError" });
      assert.equal(rig.server.log.length, retry.attempts);
    });

    it("gives up a registry that sends next to nothing, whatever it is asked for", async () => {
      const blob = rig.server.addBlob(content);
      const timers: NodeJS.Timeout[] = [];
      rig.server.faults.push((request, response) => {
        if (request.method !== "GET") return false;
        response.writeHead(200, { "content-length": content.length });
        const timer = setInterval(() => response.write("x"), 10);
        response.on("close", () => clearInterval(timer));
        timers.push(timer);
        return true;
      });
      await assert.rejects(bytesOf(fetch(blob)), {
        name: "NetworkError",
        message: /less than 1000 bytes in 0\.2 seconds: i\/o timeout$/,
      });
      await assert.rejects(rig.registry.resolve(rig.named("x:1")), { name: "NetworkError", message: /i\/o timeout$/ });
      await assert.rejects(rig.registry.tags(rig.named("x")), { name: "NetworkError", message: /i\/o timeout$/ });
      for (const timer of timers) clearInterval(timer);
    });

    it("refuses a truncated blob", async () => {
      const blob = { ...rig.server.addBlob(content.subarray(0, 1000)), size: 2000 };
      await assert.rejects(bytesOf(fetch(blob)), (error: Error) => /range invalid|unexpected EOF/.test(error.message));
    });

    it("refuses a blob that is longer than it should be", async () => {
      const blob = { ...rig.server.addBlob(content), size: 2000 };
      await assert.rejects(bytesOf(fetch(blob)), /longer than its size 2000/);
    });

    it("refuses a blob with another digest", async () => {
      const blob = rig.server.addBlob(content);
      rig.server.blobs.set(blob.digest, randomBytes(content.length));
      await assert.rejects(bytesOf(verified(fetch(blob), blob)), /unexpected digest/);
    });

    it("ends when it is told to", async () => {
      const blob = rig.server.addBlob(content);
      const abort = new AbortController();
      rig.server.faults.push((_, response) => {
        response.writeHead(200, { "content-length": content.length });
        response.write(content.subarray(0, 1000), () => abort.abort());
        return true;
      });
      await assert.rejects(bytesOf(rig.registry.fetch(rig.named("x"), blob, { signal: abort.signal })), {
        name: "Canceled",
      });
    });
  });

  describe("redirects", () => {
    const content = randomBytes(1000);

    it("follows them to storage without taking the credentials along", async () => {
      await using storage = await new FaultRegistry().listen();
      const blob = storage.addBlob(content);
      rig.server.faults.push((request, response) => {
        if (request.headers.authorization === undefined)
          return Boolean(response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end());
        response.writeHead(307, { location: `http://${storage.host}/v2/s/blobs/${blob.digest}` }).end();
        return true;
      });
      const registry = rig.client(async () => ({ kind: "basic", username: "u", password: "p" }));
      assert.deepEqual(await bytesOf(fetch(blob, 0, registry)), content);
      assert.equal(storage.requests[0]?.headers.authorization, undefined);
      assert.equal(rig.server.requests.at(-1)?.headers.authorization, `Basic ${Buffer.from("u:p").toString("base64")}`);
    });

    for (const location of ["file:///etc/passwd", "gopher://x/", "data:text/plain,x", "http://"]) {
      it(`does not follow one to ${location}`, async () => {
        const blob = rig.server.addBlob(content);
        rig.server.faults.push((_, response) => Boolean(response.writeHead(302, { location }).end()));
        await assert.rejects(bytesOf(fetch(blob)), { name: "InvalidArgument" });
      });
    }

    it("does not walk in circles", async () => {
      const blob = rig.server.addBlob(content);
      rig.server.faults.push((request, response) => Boolean(response.writeHead(302, { location: request.url }).end()));
      await assert.rejects(bytesOf(fetch(blob)), /stopped after 10 redirects/);
      assert.equal(rig.server.log.length, 11);
    });

    it("fetches a foreign layer from its own http URLs only", async () => {
      await using storage = await new FaultRegistry().listen();
      const blob = { ...storage.addBlob(content), mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar" };
      const urls = ["file:///etc/hostname", `http://${storage.host}/v2/s/blobs/${blob.digest}`];
      assert.deepEqual(await bytesOf(fetch({ ...blob, urls } as typeof blob)), content);
      await assert.rejects(
        bytesOf(fetch({ ...blob, urls: urls.slice(0, 1) } as typeof blob)),
        /unsupported protocol scheme/,
      );
    });
  });

  describe("content that storage keeps compressed", () => {
    const encoders: Record<string, (bytes: Buffer) => Buffer> = {
      gzip: gzipSync,
      deflate: deflateSync,
      zstd: zstdCompressSync,
      "gzip, zstd": (bytes) => zstdCompressSync(gzipSync(bytes)),
      identity: (bytes) => bytes,
    };
    const bytes = randomBytes(200_000);

    /** Serves the blob in a coding; with `breakAt` the first connection ends there. */
    function served(coding: string, encoded: Buffer, breakAt?: number): ReturnType<FaultRegistry["addBlob"]> {
      const blob = rig.server.addBlob(bytes);
      rig.server.faults.push((request, response) => {
        if (!request.url?.endsWith(blob.digest)) return false;
        const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
        response.writeHead(from > 0 ? 206 : 200, {
          "content-encoding": coding,
          "content-length": encoded.length - from,
          ...(from > 0 ? { "content-range": `bytes ${from}-${encoded.length - 1}/${encoded.length}` } : {}),
        });
        if (breakAt !== undefined && rig.server.log.length === 1)
          response.write(encoded.subarray(0, breakAt), () => response.destroy());
        else response.end(encoded.subarray(from));
        return true;
      });
      return blob;
    }

    for (const [coding, encode] of Object.entries(encoders)) {
      it(`is what its digest says: ${coding}`, async () => {
        assert.deepEqual(await bytesOf(fetch(served(coding, encode(bytes)))), bytes);
      });
    }

    it("is gone on with after a broken connection, and begun at an offset", async () => {
      const blob = served("gzip", gzipSync(bytes), 100_000);
      assert.deepEqual(await bytesOf(fetch(blob)), bytes);
      assert.deepEqual(await bytesOf(fetch(blob, 150_000)), bytes.subarray(150_000));
    });

    it("is refused when it is in no coding that is known, or not in the one that it names", async () => {
      await assert.rejects(bytesOf(fetch(served("br", bytes))), {
        name: "FailedPrecondition",
        message: /unsupported Content-Encoding algorithm: br$/,
      });
      rig.server.faults.length = 0;
      await assert.rejects(bytesOf(fetch(served("gzip", bytes))), {
        name: "FailedPrecondition",
        message: /its body is not gzip: incorrect header check$/,
      });
      rig.server.faults.length = 0;
      await assert.rejects(bytesOf(fetch(served("gzip,gzip,gzip,gzip", bytes))), /4 Content-Encodings are too many/);
    });

    it("ends where its size does, however much is in it", async () => {
      await assert.rejects(
        bytesOf(fetch(served("gzip", gzipSync(Buffer.alloc(100 << 20))))),
        /content is longer than its size 200000/,
      );
    });
  });

  it("asks mirrors for tags, and the registry when they do not tell", async () => {
    await using mirror = await new FaultRegistry().listen();
    let known = true;
    mirror.faults.push(
      (request, response) =>
        known && request.url === "/v2/x/tags/list" && Boolean(response.writeHead(200).end('{"tags":["mirrored"]}')),
    );
    rig.server.faults.push(
      (request, response) =>
        request.url === "/v2/x/tags/list" && Boolean(response.writeHead(200).end('{"tags":["own"]}')),
    );
    const at = (host: string): RegistryHost => ({
      scheme: "http",
      host,
      path: "/v2",
      capabilities: ["pull", "resolve"],
    });
    const registry = new Registry({
      hosts: async () => [at(mirror.host), at(rig.server.host)],
      connections: rig.connections,
      retry,
    });
    assert.deepEqual(await registry.tags(rig.named("x")), ["mirrored"]);
    known = false;
    assert.deepEqual(await registry.tags(rig.named("x")), ["own"]);
  });

  it("lists tags over several pages", async () => {
    rig.server.faults.push((request, response) => {
      if (request.url === "/v2/x/tags/list")
        return Boolean(
          response.writeHead(200, { link: '</v2/x/tags/list?last=b>; rel="next"' }).end('{"tags":["a","b"]}'),
        );
      if (request.url === "/v2/x/tags/list?last=b") return Boolean(response.writeHead(200).end('{"tags":["c"]}'));
      return false;
    });
    assert.deepEqual(await rig.registry.tags(rig.named("x")), ["a", "b", "c"]);
  });
});
