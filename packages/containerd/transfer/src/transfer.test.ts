import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { NotFound, Unavailable } from "@longshore/errdefs";
import { mediaTypes } from "@longshore/oci";
import { Fixture, destination, digestOf } from "./testing/fixture.ts";
import { chainIds } from "@longshore/oci";

const name = "reg.example/x:1";
const layers = [randomBytes(5000), randomBytes(6000), randomBytes(7000)];

describe("transfer", () => {
  let fixture: Fixture;
  beforeEach(async () => {
    fixture = await new Fixture().open();
  });
  afterEach(() => fixture.remove());
  const pull = (more = {}, signal?: AbortSignal) =>
    fixture.transfer.pull(fixture.source(), destination(name, more), fixture.call(signal));

  /** After a pull that failed: no name, no snapshot, and the collector takes the rest. */
  async function assertNothingVisible(): Promise<void> {
    assert.deepEqual(await fixture.scope.images.list(), []);
    assert.deepEqual(await fixture.scope.leases.list(), []);
    await fixture.collect();
    assert.deepEqual(await fixture.blobs(), []);
    assert.equal(fixture.snapshotter.snapshots.size, 0);
  }

  describe("pull", () => {
    it("brings an image in, labelled and unpacked, and keeps all of it", async () => {
      const target = fixture.registry.addImage("1", layers);
      await pull({ labels: { a: "b" } });
      await fixture.collect();
      const image = await fixture.scope.images.get(name);
      assert.equal(image.target.digest, target.digest);
      assert.deepEqual(image.labels, { a: "b" });
      assert.equal((await fixture.blobs()).length, 5);
      assert.deepEqual(await fixture.scope.leases.list(), []);
      const chain = chainIds(layers.map(digestOf));
      const snapshots = fixture.scope.snapshotter("overlayfs");
      for (const [position, id] of chain.entries())
        assert.equal((await snapshots.stat(id)).parent, chain[position - 1] ?? "");
      const manifest = await fixture.scope.content.info(target.digest);
      assert.equal(manifest.labels["containerd.io/gc.ref.content.l.2"], digestOf(layers[2] ?? Buffer.alloc(0)));
      assert.equal(manifest.labels["containerd.io/distribution.source.reg.example"], "x");
      const config = await fixture.scope.content.info(manifest.labels["containerd.io/gc.ref.content.config"] ?? "");
      assert.equal(config.labels["containerd.io/gc.ref.snapshot.overlayfs"], chain[2]);
      const layer = await fixture.scope.content.info(digestOf(layers[0] ?? Buffer.alloc(0)));
      assert.equal(layer.labels["containerd.io/uncompressed"], layer.digest);
    });

    it("tells what it does", async () => {
      fixture.registry.addImage("1", layers.slice(0, 1));
      await pull();
      const events = fixture.progress.map(({ event }) => event);
      assert.deepEqual(events.slice(0, 3), [
        `Resolving from OCI Registry (${name})`,
        `Pulling from OCI Registry (${name})`,
        "fetching image content",
      ]);
      assert.deepEqual(events.slice(-2), ["saved", `Completed pull from OCI Registry (${name})`]);
      const layer = fixture.progress
        .filter((message) => message.name?.startsWith("layer-") && message.event !== "downloading")
        .map(({ event }) => event);
      assert.deepEqual(layer, ["waiting", "complete", "extracting", "extracted"]);
      fixture.progress.length = 0;
      await pull();
      assert.ok(
        fixture.progress.some((message) => message.name?.startsWith("layer-") && message.event === "already exists"),
      );
    });

    it("fetches nothing twice, and moves the name to a new image", async () => {
      fixture.registry.addImage("1", layers);
      await pull();
      const before = fixture.registry.fetched.length;
      await pull();
      assert.equal(fixture.registry.fetched.length, before);
      const target = fixture.registry.addImage("1", layers.slice(0, 2));
      await pull();
      assert.equal((await fixture.scope.images.get(name)).target.digest, target.digest);
      assert.equal(fixture.registry.fetched.length, before + 2);
    });

    it("shares downloads and unpacking between pulls at the same time", async () => {
      fixture.registry.addImage("1", layers);
      const pulls = ["a", "b", "c"].map((tag) =>
        fixture.transfer.pull(fixture.source(), destination(`reg.example/x:${tag}`), fixture.call()),
      );
      await Promise.all(pulls);
      assert.equal(fixture.registry.fetched.length, 5);
      assert.equal(fixture.snapshotter.snapshots.size, 3);
      assert.equal((await fixture.scope.images.list()).length, 3);
      assert.deepEqual(await fixture.scope.leases.list(), []);
    });

    it("fetches as many layers at once as the call asks for, over all that ask the same", async () => {
      fixture.registry.addImage("1", layers);
      fixture.registry.addImage(
        "2",
        ["another", "and one more"].map((text) => Buffer.from(text)),
      );
      let running = 0;
      let most = 0;
      fixture.registry.onFetch = async function* (descriptor, bytes) {
        if (!descriptor.mediaType.includes("layer")) return yield bytes;
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        yield bytes;
      };
      const call = { ...fixture.call(), concurrency: 1 };
      await Promise.all(
        ["1", "2"].map((tag) => fixture.transfer.pull(fixture.source(tag), destination(`reg.example/x:${tag}`), call)),
      );
      assert.equal(most, 1);
    });

    it("goes on when another pull of the same image is given up", async () => {
      fixture.registry.addImage("1", layers);
      const abort = new AbortController();
      const started = Promise.withResolvers<void>();
      const release = Promise.withResolvers<void>();
      fixture.registry.onFetch = async function* (_, content) {
        started.resolve();
        await release.promise;
        yield content;
      };
      const first = assert.rejects(pull({}, abort.signal), { name: "Canceled" });
      await started.promise;
      const second = pull();
      abort.abort();
      await first;
      release.resolve();
      await second;
      assert.equal((await fixture.scope.images.list()).length, 1);
    });

    it("resumes a layer of a pull that broke off", async () => {
      fixture.registry.addImage("1", layers.slice(0, 1));
      const digest = digestOf(layers[0] ?? Buffer.alloc(0));
      const whole = fixture.registry.onFetch;
      fixture.registry.onFetch = async function* (descriptor, content) {
        if (descriptor.digest !== digest) return yield* whole(descriptor, content);
        yield content.subarray(0, 2000);
        throw new Unavailable("connection reset by peer");
      };
      await assert.rejects(pull(), { message: /connection reset by peer/ });
      assert.deepEqual(await fixture.scope.images.list(), []);
      await fixture.collect();
      fixture.registry.onFetch = whole;
      await pull();
      assert.ok(fixture.registry.fetched.includes(`${digest}+2000`));
    });

    it("begins anew when what was left of a broken pull is wrong", async () => {
      fixture.registry.addImage("1", layers.slice(0, 1));
      const digest = digestOf(layers[0] ?? Buffer.alloc(0));
      const writer = await fixture.scope.content.writer({ ref: `layer-${digest}`, size: 5000, expected: digest });
      await writer.write(Buffer.alloc(1000));
      await writer.close();
      await pull();
      assert.deepEqual(
        fixture.registry.fetched.filter((line) => line.startsWith(digest)),
        [`${digest}+1000`, `${digest}+0`],
      );
    });

    it("refuses a layer whose bytes are not those of its digest, and shows nothing", async () => {
      fixture.registry.addImage("1", layers);
      const digest = digestOf(layers[1] ?? Buffer.alloc(0));
      fixture.registry.blobs.set(digest, randomBytes(6000));
      await assert.rejects(pull(), {
        name: "FailedPrecondition",
        message: new RegExp(`^failed commit on ref "layer-${digest}": unexpected commit digest`),
      });
      await assertNothingVisible();
      fixture.registry.addImage("1", layers);
      await pull();
    });

    it("refuses a layer that is too short", async () => {
      fixture.registry.addImage("1", layers);
      fixture.registry.blobs.set(digestOf(layers[1] ?? Buffer.alloc(0)), randomBytes(10));
      await assert.rejects(pull(), { name: "FailedPrecondition", message: /failed size validation: 10 != 6000/ });
      assert.deepEqual(await fixture.scope.images.list(), []);
      fixture.registry.addImage("1", layers);
      await pull();
    });

    it("refuses a layer that cannot be unpacked", async () => {
      fixture.registry.addImage("1", [...layers, Buffer.from("EVIL")]);
      await assert.rejects(pull(), {
        name: "InvalidArgument",
        message: /failed to extract layer .*invalid entry \.\.\/x/,
      });
      await assertNothingVisible();
    });

    it("refuses layers that are not what the configuration says", async () => {
      fixture.registry.addImage("1", layers, "amd64", layers.map(digestOf).toReversed());
      await assert.rejects(pull(), { name: "InvalidArgument", message: /wrong diff id/ });
      await assertNothingVisible();
      fixture.registry.addImage("1", layers, "amd64", []);
      await assert.rejects(pull(), /mismatched image rootfs and manifest layers/);
      await assertNothingVisible();
    });

    for (const [what, manifest, message] of [
      ["no JSON", Buffer.from("{"), /is not valid JSON/],
      ["a list", [], /json: cannot unmarshal array into Go value of type v1\.Manifest$/],
      [
        "a manifest that is an index, too",
        { manifests: [], config: {}, layers: [] },
        /expected manifest but found index/,
      ],
      [
        "a path for a digest",
        { config: { mediaType: "x", digest: "sha256:../../x", size: 1 }, layers: [] },
        /invalid digest "sha256:\.\.\/\.\.\/x"/,
      ],
      [
        "a negative size",
        { config: { mediaType: "x", digest: digestOf(Buffer.alloc(0)), size: -1 }, layers: [] },
        /invalid size -1/,
      ],
    ] as const) {
      it(`refuses ${what} as a manifest`, async () => {
        fixture.registry.tags.set("1", fixture.registry.add(mediaTypes.ociManifest, manifest));
        await assert.rejects(pull(), { name: "InvalidArgument", message });
        await assertNothingVisible();
      });
    }

    const rootfs = { type: "layers", diff_ids: [] };
    for (const [what, config, message] of [
      ["null", Buffer.from("null"), /invalid image JSON, no RootFS key$/],
      ["a tar", Buffer.alloc(1024), /is not valid JSON/],
      [
        "labels of a wrong type",
        { os: "linux", architecture: "amd64", config: { Labels: 5 }, rootfs },
        /json: cannot unmarshal number into Go struct field Image\.config\.Labels/,
      ],
    ] as const) {
      for (const unpacks of [undefined, []]) {
        it(`refuses a configuration that is ${what}${unpacks === undefined ? "" : ", also when it is not unpacked"}`, async () => {
          const descriptor = fixture.registry.add(mediaTypes.ociConfig, config);
          fixture.registry.tags.set(
            "1",
            fixture.registry.add(mediaTypes.ociManifest, { config: descriptor, layers: [] }),
          );
          await assert.rejects(pull(unpacks === undefined ? {} : { unpacks }), { name: "InvalidArgument", message });
          await assertNothingVisible();
        });
      }
    }

    it("refuses a name that stands for no manifest", async () => {
      fixture.registry.tags.set("1", fixture.registry.add("text/html", Buffer.from("<html>")));
      await assert.rejects(pull(), {
        name: "InvalidArgument",
        message: /unsupported manifest media type: text\/html$/,
      });
      await assertNothingVisible();
    });

    it("fetches what an index names a million times once, and refuses one nested 2,000 deep", async () => {
      let at = fixture.registry.addImage("image", layers);
      for (let level = 0; level < 7; level++)
        at = fixture.registry.add(mediaTypes.ociIndex, {
          schemaVersion: 2,
          manifests: Array.from({ length: 10 }, () => at),
        });
      fixture.registry.tags.set("1", at);
      await pull();
      assert.equal(fixture.registry.fetched.length, 7 + 5);
      await fixture.transfer.push(
        { name, platforms: [] },
        { registry: fixture.registry, reference: { domain: "reg.example", path: "y", tag: "2" } },
        fixture.call(),
      );
      assert.equal(fixture.registry.pushed.length, 7 + 5);
      for (let level = 0; level < 2000; level++)
        at = fixture.registry.add(mediaTypes.ociIndex, { schemaVersion: 2, manifests: [at] });
      fixture.registry.tags.set("1", at);
      await assert.rejects(pull(), { name: "InvalidArgument", message: /indexes are nested too deeply/ });
    });

    it("puts words before the registry's own", async () => {
      await assert.rejects(pull(), {
        name: "NotFound",
        message: "failed to resolve image: x: not found: manifest unknown: manifest unknown",
        reason: "RESOLVE_FAILED",
      });
    });

    it("chooses platforms from an index and keeps the index whole", async () => {
      const amd64 = fixture.registry.addImage("amd64", layers.slice(0, 1));
      const arm64 = fixture.registry.addImage("arm64", layers.slice(1, 2), "arm64");
      const attestation = fixture.registry.addImage("att", layers.slice(2, 3), "unknown");
      const index = fixture.registry.add(mediaTypes.ociIndex, {
        schemaVersion: 2,
        manifests: [
          { ...amd64, platform: { os: "linux", architecture: "amd64" } },
          { ...arm64, platform: { os: "linux", architecture: "arm64" } },
          { ...attestation, platform: { os: "unknown", architecture: "unknown" } },
        ],
      });
      fixture.registry.tags.set("1", index);
      await pull();
      assert.equal((await fixture.blobs()).length, 4);
      assert.equal((await fixture.scope.images.get(name)).target.digest, index.digest);
      await pull({ allMetadata: true });
      assert.equal((await fixture.blobs()).length, 8, "manifests and configurations of the others, without layers");
      await pull({ platforms: [], unpacks: [] });
      assert.equal((await fixture.blobs()).length, 10);
      await assert.rejects(pull({ platforms: [{ os: "linux", architecture: "s390x" }] }), {
        name: "NotFound",
        message: /^no match for platform in manifest sha256:/,
        reason: "NO_MATCH_FOR_PLATFORM",
      });
    });
  });

  describe("push", () => {
    it("sends what an image is made of, children first, and remembers where it is", async () => {
      const target = fixture.registry.addImage("1", layers);
      await pull();
      await fixture.transfer.push(
        { name, platforms: [] },
        { registry: fixture.registry, reference: { domain: "reg.example", path: "y", tag: "2" } },
        fixture.call(),
      );
      assert.equal(fixture.registry.pushed.length, 5);
      assert.equal(fixture.registry.pushed.at(-1), target.digest);
      assert.equal(fixture.registry.tags.get("2")?.digest, target.digest);
      assert.ok(fixture.progress.some(({ event }) => event === "mounted from x"));
      assert.equal(
        (await fixture.scope.content.info(target.digest)).labels["containerd.io/distribution.source.reg.example"],
        "x,y",
      );
    });

    it("says which image or content is missing", async () => {
      const call = fixture.call();
      await assert.rejects(fixture.transfer.push({ name, platforms: [] }, fixture.source(), call), {
        name: "NotFound",
        message: `image "${name}": not found`,
      });
      fixture.registry.addImage("1", layers);
      await pull({ unpacks: [] });
      await fixture.scope.content.delete(digestOf(layers[0] ?? Buffer.alloc(0)));
      await assert.rejects(
        fixture.transfer.push({ name, platforms: [] }, fixture.source("2"), call),
        (error) => error instanceof NotFound,
      );
      assert.equal(fixture.registry.tags.get("2"), undefined);
    });
  });

  it("tags an image, over another if need be", async () => {
    const target = fixture.registry.addImage("1", layers);
    await pull();
    for (const _ of [1, 2]) await fixture.transfer.tag(name, destination("y:2"), fixture.call());
    assert.equal((await fixture.scope.images.get("y:2")).target.digest, target.digest);
    await assert.rejects(fixture.transfer.tag("none:1", destination("y:3"), fixture.call()), { name: "NotFound" });
  });

  it("imports what an archive holds, under the names it bears", async () => {
    const target = fixture.registry.addImage("1", layers);
    await pull();
    fixture.archive.set("good", [{ ...target, annotations: { "io.containerd.image.name": "docker.io/library/y:1" } }]);
    const extraReferences = [
      { name: "import-1", isPrefix: true, allowOverwrite: true, addDigest: false, skipNamedDigest: false },
    ];
    const bytes = async function* (text: string): AsyncGenerator<Uint8Array> {
      yield Buffer.from(text);
    };
    await fixture.transfer.import(
      bytes("good"),
      { forceCompress: false },
      destination("", { extraReferences }),
      fixture.call(),
    );
    await fixture.scope.images.delete(name);
    assert.deepEqual(
      (await fixture.scope.images.list()).map((image) => image.name),
      ["docker.io/library/y:1"],
    );
    await assert.rejects(
      fixture.transfer.import(
        bytes("bad"),
        { forceCompress: false },
        destination("", { extraReferences }),
        fixture.call(),
      ),
      { name: "InvalidArgument" },
    );
    const annotated = (image: string): object => ({ annotations: { "io.containerd.image.name": image } });
    for (const [what, members, message] of [
      ["leads up", annotated("../../../x"), /^invalid reference format$/],
      ["NUL", annotated("a\0b"), /^invalid reference format$/],
      ["upper case", annotated("docker.io/library/UPPER:1"), /must be lowercase$/],
      ["a wrong size", { size: 7 }, /says 7 bytes, the blob has \d+$/],
      ["no manifest", { mediaType: "text/html" }, /descriptor is neither a manifest or index: text\/html$/],
    ] as const) {
      fixture.archive.set(what, [{ ...target, ...annotated("docker.io/library/z:1"), ...members }]);
      await assert.rejects(
        fixture.transfer.import(
          bytes(what),
          { forceCompress: false },
          destination("", { extraReferences }),
          fixture.call(),
        ),
        { name: "InvalidArgument", message },
      );
    }
    assert.deepEqual(
      (await fixture.scope.images.list()).map((image) => image.name),
      ["docker.io/library/y:1"],
    );
    const out: string[] = [];
    const options = { skipCompatibilityManifest: false, skipNonDistributable: false };
    const sink = async (content: AsyncIterable<Uint8Array>): Promise<void> => {
      for await (const chunk of content) out.push(Buffer.from(chunk).toString());
    };
    await fixture.transfer.export(
      { name: "docker.io/library/y:1", extraReferences: [] },
      options,
      sink,
      fixture.call(),
    );
    assert.deepEqual(out, [
      '{"io.containerd.image.name":"docker.io/library/y:1","org.opencontainers.image.ref.name":"1"}\n',
    ]);
  });
});
