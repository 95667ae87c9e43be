import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { AlreadyExists, FailedPrecondition, NotFound } from "@longshore/errdefs";
import { type Descriptor, type Index, type Manifest, mediaTypes } from "@longshore/oci";
import { TarParser } from "../tar/parser.ts";
import { collect, stream, tarOf } from "../testing/tars.ts";
import type { BlobStore, BlobWriter } from "./blobs.ts";
import { ImageArchives } from "./image-archives.ts";

const digestOf = (data: Uint8Array | string): string => `sha256:${createHash("sha256").update(data).digest("hex")}`;

/** A content store in memory. */
class MemoryBlobs implements BlobStore {
  readonly blobs = new Map<string, Buffer>();
  readonly labels = new Map<string, Record<string, string>>();
  readonly ingests = new Map<string, Buffer>();
  /** Blobs of another namespace: an ingest of one begins with all its bytes. */
  readonly elsewhere = new Map<string, Buffer>();

  add(data: Buffer | string): string {
    const digest = digestOf(data);
    this.blobs.set(digest, Buffer.from(data));
    return digest;
  }

  async info(digest: string): Promise<{ size: number }> {
    const blob = this.blobs.get(digest);
    if (blob === undefined) throw new NotFound(`content ${digest}: not found`);
    return { size: blob.length };
  }

  async *read(digest: string, offset = 0, size = 0): AsyncGenerator<Uint8Array> {
    await this.info(digest);
    const blob = this.blobs.get(digest) as Buffer;
    yield blob.subarray(offset, size === 0 ? blob.length : offset + size);
  }

  async writer({ ref, expected = "" }: { ref: string; expected?: string }): Promise<BlobWriter> {
    if (this.blobs.has(expected)) throw new AlreadyExists(`content ${expected}: already exists`);
    this.ingests.set(ref, this.elsewhere.get(expected) ?? Buffer.alloc(0));
    const held = (): Buffer => this.ingests.get(ref) as Buffer;
    return {
      write: async (data) => void this.ingests.set(ref, Buffer.concat([held(), data])),
      status: () => ({ offset: held().length }),
      digest: () => digestOf(held()),
      commit: async (_size, wanted, labels = {}) => {
        const data = held();
        const digest = digestOf(data);
        this.ingests.delete(ref);
        if (wanted !== "" && wanted !== digest)
          throw new FailedPrecondition(`unexpected commit digest ${digest}, expected ${wanted}: failed precondition`);
        if (this.blobs.has(digest)) throw new AlreadyExists(`content ${digest}: already exists`);
        this.blobs.set(digest, data);
        this.labels.set(digest, labels);
        return digest;
      },
      close: async () => undefined,
    };
  }

  async abort(ref: string): Promise<void> {
    this.ingests.delete(ref);
  }
}

interface Made {
  descriptor: Descriptor;
  layer: Buffer;
  config: Buffer;
}

function makeImage(store: MemoryBlobs, content: string, platform = { os: "linux", architecture: "amd64" }): Made {
  const layer = gzipSync(tarOf({ name: "file", data: content }));
  const config = Buffer.from(
    JSON.stringify({
      ...platform,
      config: {},
      rootfs: { type: "layers", diff_ids: [digestOf(tarOf({ name: "file", data: content }))] },
    }),
  );
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: store.add(config), size: config.length },
    layers: [{ mediaType: mediaTypes.ociLayerGzip, digest: store.add(layer), size: layer.length }],
  };
  const json = JSON.stringify(manifest);
  return {
    descriptor: { mediaType: mediaTypes.ociManifest, digest: store.add(json), size: json.length },
    layer,
    config,
  };
}

const named = (descriptor: Descriptor, name: string): Descriptor => ({
  ...descriptor,
  annotations: { "io.containerd.image.name": name, "org.opencontainers.image.ref.name": name.split(":").at(-1) ?? "" },
});

function filesIn(tar: Buffer): Map<string, string> {
  const files = new Map<string, string>();
  let name = "";
  for (const event of new TarParser().feed(tar)) {
    if (event.kind === "entry") files.set((name = event.header.name), "");
    else if (event.kind === "data") files.set(name, (files.get(name) ?? "") + event.bytes.toString("latin1"));
  }
  return files;
}

describe("image archives", () => {
  const archives = new ImageArchives();
  const whole = { skipCompatibilityManifest: false, skipNonDistributable: false };

  it("saves as Docker does", async () => {
    const store = new MemoryBlobs();
    const { descriptor, layer, config } = makeImage(store, "one");
    const tar = await collect(
      archives.write(
        [named(descriptor, "docker.io/library/app:v1"), named(descriptor, "docker.io/library/app:v2")],
        store,
        whole,
      ),
    );
    const files = filesIn(tar);
    const path = (data: Buffer): string => `blobs/sha256/${digestOf(data).slice(7)}`;
    assert.deepEqual([...files.keys()].slice(-4), ["index.json", "manifest.json", "oci-layout", "repositories"]);
    assert.deepEqual([...files.keys()].slice(0, 2), ["blobs/", "blobs/sha256/"]);
    assert.equal(files.size, 9);
    assert.deepEqual(JSON.parse(files.get("manifest.json") ?? ""), [
      {
        Config: path(config),
        RepoTags: ["app:v1", "app:v2"],
        Layers: [path(layer)],
        LayerSources: {
          [digestOf(layer)]: { mediaType: mediaTypes.ociLayerGzip, size: layer.length, digest: digestOf(layer) },
        },
      },
    ]);
    assert.deepEqual(JSON.parse(files.get("repositories") ?? ""), {
      app: { v1: digestOf(layer).slice(7), v2: digestOf(layer).slice(7) },
    });
    const index = JSON.parse(files.get("index.json") ?? "") as Index;
    assert.deepEqual(index.manifests, [
      named(descriptor, "docker.io/library/app:v1"),
      named(descriptor, "docker.io/library/app:v2"),
    ]);
    assert.deepEqual(
      tar,
      await collect(
        archives.write(
          [named(descriptor, "docker.io/library/app:v1"), named(descriptor, "docker.io/library/app:v2")],
          store,
          whole,
        ),
      ),
    );
  });

  for (const [name, pack] of [
    ["plain", (tar: Buffer) => tar],
    ["gzip", gzipSync],
    ["zstd", zstdCompressSync],
  ] as const) {
    it(`loads what it saved (${name})`, async () => {
      const store = new MemoryBlobs();
      const { descriptor } = makeImage(store, "one");
      const tar = await collect(archives.write([named(descriptor, "docker.io/library/app:v1")], store, whole));
      const other = new MemoryBlobs();
      const { images: read } = await archives.read(stream(pack(tar)), other, { forceCompress: false });
      assert.deepEqual(read, [named(descriptor, "docker.io/library/app:v1")]);
      for (const [digest, data] of store.blobs) assert.deepEqual(other.blobs.get(digest), data);
      assert.equal(other.ingests.size, 0);
      // Once more into the store that has it all.
      assert.deepEqual((await archives.read(stream(tar), other, { forceCompress: false })).images, read);
    });
  }

  it("loads blobs that the store begins with, since another namespace has them", async () => {
    const store = new MemoryBlobs();
    const { descriptor } = makeImage(store, "one");
    const tar = await collect(archives.write([named(descriptor, "docker.io/library/app:v1")], store, whole));
    const other = new MemoryBlobs();
    for (const [digest, blob] of store.blobs) other.elsewhere.set(digest, blob);
    await archives.read(stream(tar), other, { forceCompress: false });
    for (const [digest, blob] of store.blobs) assert.deepEqual(other.blobs.get(digest), blob);
  });

  it("keeps an index whole and writes the platforms that are wanted, or there", async () => {
    const store = new MemoryBlobs();
    const amd = makeImage(store, "amd");
    const arm = makeImage(store, "arm", { os: "linux", architecture: "arm64" });
    const index: Index = {
      schemaVersion: 2,
      manifests: [
        { ...amd.descriptor, platform: { os: "linux", architecture: "amd64" } },
        { ...arm.descriptor, platform: { os: "linux", architecture: "arm64" } },
      ],
    };
    const json = JSON.stringify(index);
    const target = { mediaType: mediaTypes.ociIndex, digest: store.add(json), size: json.length };
    const count = async (options: object): Promise<number> =>
      filesIn(await collect(archives.write([target], store, { ...whole, ...options }))).size;
    assert.equal(await count({}), 2 + 7 + 3);
    assert.equal(await count({ platforms: [{ os: "linux", architecture: "arm64" }] }), 2 + 4 + 3);
    store.blobs.delete(digestOf(arm.layer));
    assert.equal(await count({}), 2 + 4 + 3);
    await assert.rejects(count({ platforms: [{ os: "linux", architecture: "arm64" }] }), { name: "NotFound" });
    assert.equal(await count({ skipCompatibilityManifest: true }), 2 + 4 + 2);
  });

  const layerTar = tarOf({ name: "etc/file", data: "old style" });
  const config = JSON.stringify({
    os: "linux",
    architecture: "arm64",
    variant: "v8",
    rootfs: { type: "layers", diff_ids: [digestOf(layerTar), digestOf(layerTar)] },
  });
  const oldArchive = tarOf(
    { name: "abc/", type: "directory" },
    { name: "abc/layer.tar", data: layerTar.toString("latin1") },
    { name: "abc/json", data: "{}" },
    { name: "def/layer.tar", type: "symlink", linkname: "../abc/layer.tar" },
    { name: "config.json", data: config },
    {
      name: "manifest.json",
      data: JSON.stringify([
        { Config: "config.json", RepoTags: ["app", "quay.io/x/y:z"], Layers: ["abc/layer.tar", "def/layer.tar"] },
      ]),
    },
  );

  it("loads the old form, with shared layers as links", async () => {
    const store = new MemoryBlobs();
    const { images } = await archives.read(stream(oldArchive), store, { forceCompress: false });
    assert.deepEqual(
      images.map(({ annotations }) => annotations),
      [
        { "io.containerd.image.name": "docker.io/library/app:latest", "org.opencontainers.image.ref.name": "latest" },
        { "io.containerd.image.name": "quay.io/x/y:z", "org.opencontainers.image.ref.name": "z" },
      ],
    );
    assert.deepEqual(images[0]?.platform, { os: "linux", architecture: "arm64", variant: "v8" });
    const manifest = JSON.parse(store.blobs.get(images[0]?.digest ?? "")?.toString() ?? "") as Manifest;
    const layer = { mediaType: mediaTypes.dockerLayer, digest: digestOf(layerTar), size: layerTar.length };
    assert.deepEqual(manifest.layers, [layer, layer]);
    assert.equal(manifest.config.digest, digestOf(config));
  });

  it("packs plain layers when asked", async () => {
    const store = new MemoryBlobs();
    const [image] = (await archives.read(stream(oldArchive), store, { forceCompress: true })).images;
    const manifest = JSON.parse(store.blobs.get(image?.digest ?? "")?.toString() ?? "") as Manifest;
    assert.equal(manifest.layers[0]?.mediaType, mediaTypes.dockerLayerGzip);
    assert.deepEqual(store.labels.get(manifest.layers[0]?.digest ?? ""), {
      "containerd.io/uncompressed": digestOf(layerTar),
    });
  });

  const ofConfig = (text: string, name = "x"): Buffer =>
    tarOf(
      { name: "c", data: text },
      { name: "manifest.json", data: JSON.stringify([{ Config: "c", RepoTags: [name], Layers: [] }]) },
    );
  const ofIndex = (members: object): Buffer => {
    const manifests = [{ mediaType: mediaTypes.ociManifest, digest: `sha256:${"0".repeat(64)}`, size: 5, ...members }];
    return tarOf(
      { name: "oci-layout", data: '{"imageLayoutVersion":"1.0.0"}' },
      { name: "index.json", data: JSON.stringify({ schemaVersion: 2, manifests }) },
    );
  };
  const bad: [string, Buffer, RegExp][] = [
    ["an empty tar", tarOf(), /unrecognized image format/],
    ["no tar", Buffer.alloc(3000, "junk"), /archive\/tar: invalid tar header/],
    ["an archive that ends early", oldArchive.subarray(0, 1500), /unexpected EOF/],
    ["broken JSON", tarOf({ name: "manifest.json", data: "{nope" }), /manifest\.json/],
    [
      "JSON of another kind",
      tarOf({ name: "manifest.json", data: '{"a":1}' }),
      /^manifest\.json: json: cannot unmarshal object into Go value of type \[\]tarexport\.manifestItem$/,
    ],
    [
      "a missing configuration",
      tarOf({ name: "manifest.json", data: '[{"Config":"x.json","Layers":[]}]' }),
      /open x\.json: no such file or directory/,
    ],
    [
      "a missing layer",
      tarOf(
        { name: "c", data: `{"rootfs":{"diff_ids":["sha256:${"0".repeat(64)}"]}}` },
        { name: "manifest.json", data: '[{"Config":"c","RepoTags":null,"Layers":["l"]}]' },
      ),
      /open l: no such file or directory/,
    ],
    [
      "a name that is none",
      tarOf(
        { name: "c", data: '{"rootfs":{}}' },
        { name: "manifest.json", data: '[{"Config":"c","RepoTags":["A B"],"Layers":[]}]' },
      ),
      /invalid reference format/,
    ],
    [
      "a layout from the future",
      tarOf({ name: "oci-layout", data: '{"imageLayoutVersion":"9.0.0"}' }, { name: "index.json", data: "{}" }),
      /unsupported OCI version "9\.0\.0"/,
    ],
    [
      "an index of another kind",
      tarOf(
        { name: "oci-layout", data: '{"imageLayoutVersion":"1.0.0"}' },
        { name: "index.json", data: '{"manifests":[1]}' },
      ),
      /^index\.json: json: cannot unmarshal number into/,
    ],
    [
      "a manifest.json that is null",
      tarOf({ name: "manifest.json", data: "null" }),
      /^invalid manifest, manifest cannot be null \(but can be \[\]\)$/,
    ],
    ["a configuration that is null", ofConfig("null"), /^c: invalid image JSON, no RootFS key$/],
    ["a configuration that is a tar", ofConfig(layerTar.toString("latin1")), /^c is not valid JSON: /],
    [
      "labels that are a number",
      ofConfig('{"config":{"Labels":5},"rootfs":{}}'),
      /^c: json: cannot unmarshal number into Go struct field Image\.config\.Labels of type map\[string\]string$/,
    ],
    [
      "labels that are numbers",
      ofConfig('{"config":{"labels":{"a":1}},"rootfs":{}}'),
      /^c: json: cannot unmarshal number into Go struct field Image\.config\.labels\.a of type string$/,
    ],
    [
      "more layers in the configuration than in the manifest",
      ofConfig(`{"rootfs":{"diff_ids":["sha256:${"0".repeat(64)}"]}}`),
      /^invalid manifest, layers length mismatch: expected 0, got 1$/,
    ],
    ["a name that leads up", ofConfig('{"rootfs":{}}', "../../../x"), /^invalid reference format$/],
    ["a name with NUL", ofConfig('{"rootfs":{}}', "a\0b"), /^invalid reference format$/],
    ...[
      ["size", 2 ** 60, /descriptor sha256:0+: invalid size 1152921504606847000$/],
      [
        "size",
        1.5,
        /json: cannot unmarshal number 1\.5 into Go struct field Index\.manifests\.0\.size of type int64|of type int64$/,
      ],
      ["size", -1, /invalid size -1$/],
      ["size", "5", /json: cannot unmarshal string into .*of type int64$/],
      ["digest", "../../x", /descriptor with the invalid digest "\.\.\/\.\.\/x"$/],
      ["mediaType", "a\nb", /invalid media type "a\\nb"$/],
      ["mediaType", "", /invalid media type ""$/],
      ["platform", 5, /cannot unmarshal number into .*of type v1\.Platform$/],
      ["annotations", { a: 1 }, /cannot unmarshal number into .*of type string$/],
    ].map(([member, value, message]): [string, Buffer, RegExp] => [
      `a descriptor whose ${String(member)} is ${JSON.stringify(value)}`,
      ofIndex({ [String(member)]: value }),
      message as RegExp,
    ]),
    [
      "a blob that is not what its name says",
      tarOf({ name: `blobs/sha256/${"0".repeat(64)}`, data: "lie" }),
      /unexpected commit digest/,
    ],
    ["a name that leads out", tarOf({ name: "../evil", data: "" }), /invalid entry name "\.\.\/evil"/],
    [
      "links in a circle",
      tarOf(
        { name: "a", type: "symlink", linkname: "b" },
        { name: "b", type: "symlink", linkname: "a" },
        { name: "manifest.json", data: '[{"Config":"a","Layers":[]}]' },
      ),
      /open a: no such file/,
    ],
  ];
  for (const [what, archive, message] of bad) {
    it(`refuses ${what}`, async () => {
      const store = new MemoryBlobs();
      await assert.rejects(archives.read(stream(archive), store, { forceCompress: false }), { message });
      assert.equal(store.ingests.size, 0);
    });
  }
});
