import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type Descriptor, mediaTypes } from "../image.ts";
import { parseImage, parseIndex, parseManifest } from "./documents.ts";
import { DocumentWalk } from "./walk.ts";

const digest = `sha256:${"0".repeat(64)}`;
const config = { mediaType: mediaTypes.ociConfig, digest, size: 5 };
const rootfs = { type: "layers", diff_ids: [digest] };

describe("OCI documents", () => {
  it("are read as Go reads them: names in any case, null for nothing, unknown members left out", () => {
    assert.deepEqual(
      parseImage(
        "d",
        '{"OS":"linux","config":{"labels":{"a":null},"ENV":["x",null]},"rootfs":{"type":"x","diff_ids":null},"history":[null],"x":1}',
      ),
      {
        os: "linux",
        architecture: "",
        config: { Labels: { a: "" }, Env: ["x", ""] },
        rootfs: { type: "layers", diff_ids: [] },
        history: [{}],
      },
    );
    assert.deepEqual(parseIndex("d", '{"manifests":null}').manifests, []);
    assert.deepEqual(
      parseIndex("d", JSON.stringify({ manifests: [{ ...config, platform: {}, urls: null }] })).manifests,
      [{ ...config, platform: { os: "", architecture: "" } }],
    );
    assert.deepEqual(parseManifest("d", JSON.stringify({ config, layers: null })).layers, []);
    assert.deepEqual(
      parseManifest("d", JSON.stringify({ config, annotations: JSON.parse('{"__proto__":"x"}') })).annotations,
      JSON.parse('{"__proto__":"x"}'),
    );
  });

  const refused: [what: string, parse: (name: string, text: string) => unknown, document: unknown, problem: RegExp][] =
    [
      ["an image that is null", parseImage, null, /^d: invalid image JSON, no RootFS key$/],
      [
        "an image that is a list",
        parseImage,
        [],
        /^d: json: cannot unmarshal array into Go value of type image\.Image$/,
      ],
      ["an image without a root", parseImage, {}, /no RootFS key/],
      [
        "labels that are a number",
        parseImage,
        { config: { Labels: 5 }, rootfs },
        /^d: json: cannot unmarshal number into Go struct field Image\.config\.Labels of type map\[string\]string$/,
      ],
      [
        "a label that is one",
        parseImage,
        { config: { Labels: { a: 1 } }, rootfs },
        /field Image\.config\.Labels\.a of type string$/,
      ],
      [
        "an environment that is a string",
        parseImage,
        { config: { Env: "x" }, rootfs },
        /cannot unmarshal string into Go struct field Image\.config\.Env of type \[\]string$/,
      ],
      [
        "a health check's interval that is a string",
        parseImage,
        { config: { Healthcheck: { Interval: "5s" } }, rootfs },
        /Image\.config\.Healthcheck\.Interval of type time\.Duration$/,
      ],
      [
        "a history that is a number",
        parseImage,
        { history: 5, rootfs },
        /field Image\.history of type \[\]v1\.History$/,
      ],
      ["an operating system that is a number", parseImage, { os: 5, rootfs }, /field Image\.os of type string$/],
      [
        "a time that is none",
        parseImage,
        { created: "yesterday", rootfs },
        /^d: parsing time "yesterday" as "2006-01-02T15:04:05Z07:00"/,
      ],
      [
        "a diff ID that is a path",
        parseImage,
        { rootfs: { diff_ids: ["../x"] } },
        /^d: invalid diffID for layer 0: "\.\.\/x"$/,
      ],
      [
        "a diff ID that is a number",
        parseImage,
        { rootfs: { diff_ids: [5] } },
        /cannot unmarshal number into .*rootfs\.diff_ids\.0 of type layer\.DiffID$/,
      ],
      ["a manifest that is null", parseManifest, null, /^d: descriptor with the invalid digest ""$/],
      [
        "a manifest that reads as an index, too",
        parseManifest,
        { config, layers: [], Manifests: [] },
        /expected manifest but found index/,
      ],
      [
        "an index that reads as a manifest, too",
        parseIndex,
        { manifests: [], Layers: [] },
        /expected index but found manifest/,
      ],
      [
        "layers that are an object",
        parseManifest,
        { config, layers: {} },
        /field Manifest\.layers of type \[\]v1\.Descriptor$/,
      ],
      ["a layer that is null", parseManifest, { config, layers: [null] }, /invalid digest ""/],
      ["URLs that are a number", parseManifest, { config, layers: [{ ...config, urls: 5 }] }, /of type \[\]string$/],
      ["a size of 2^60", parseManifest, { config: { ...config, size: 2 ** 60 } }, /invalid size/],
      ["a size below nothing", parseManifest, { config, layers: [{ ...config, size: -5 }] }, /invalid size -5$/],
      ["a subject of 2^70 bytes", parseManifest, { config, subject: { ...config, size: 2 ** 70 } }, /size|int64/],
      [
        "a digest of another length",
        parseIndex,
        { manifests: [{ ...config, digest: "sha256:00" }] },
        /invalid digest "sha256:00"$/,
      ],
      [
        "a media type with a newline",
        parseIndex,
        { manifests: [{ ...config, mediaType: "a\n" }] },
        /invalid media type "a\\n"$/,
      ],
      [
        "more descriptors than an image has",
        parseIndex,
        { manifests: Array.from({ length: 10_001 }, () => config) },
        /more than 10000 elements in Index\.manifests$/,
      ],
    ];
  for (const [what, parse, document, problem] of refused) {
    it(`refuse ${what}`, () =>
      assert.throws(() => parse("d", JSON.stringify(document)), { name: "InvalidArgument", message: problem }));
  }

  it("refuse what is no JSON, or too large for any", () => {
    assert.throws(() => parseImage("d", "<html>"), {
      name: "InvalidArgument",
      message: "d is not valid JSON: invalid character '<' looking for beginning of value",
    });
    assert.throws(() => parseImage("d", Buffer.alloc((8 << 20) + 1, " ")), {
      name: "InvalidArgument",
      message: /too many for a document/,
    });
    assert.throws(() => parseImage("d", "[".repeat(1 << 20)), { name: "InvalidArgument" });
  });
});

describe("a walk through documents", () => {
  const document = (name: string, size = 100): Descriptor => ({
    mediaType: mediaTypes.ociIndex,
    digest: `sha256:${createHash("sha256").update(name).digest("hex")}`,
    size,
  });

  it("comes to each once for each way", () => {
    const walk = new DocumentWalk();
    assert.deepEqual(
      [
        walk.enter(document("a")),
        walk.enter(document("b")),
        walk.enter(document("a")),
        walk.enter(document("a"), 1, "other"),
      ],
      [true, true, false, true],
    );
  });

  it("ends where no image goes", () => {
    assert.throws(() => new DocumentWalk().enter(document("a"), 33), {
      name: "InvalidArgument",
      message: /nested too deeply/,
    });
    assert.throws(() => new DocumentWalk().enter(document("a", 9 << 20)), { name: "InvalidArgument" });
    const bytes = new DocumentWalk({ bytes: 250 });
    bytes.enter(document("a"));
    bytes.enter(document("b"));
    assert.throws(() => bytes.enter(document("c")), { name: "InvalidArgument", message: /more than 250 bytes/ });
    const number = new DocumentWalk({ documents: 1 });
    number.enter(document("a"));
    assert.throws(() => number.enter(document("b")), { name: "InvalidArgument", message: /more than 1 documents/ });
  });
});
