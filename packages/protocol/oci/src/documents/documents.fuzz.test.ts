import assert from "node:assert/strict";
import { isKind, messageOf } from "@longshore/errdefs";
import { type Random, fuzz } from "@longshore/fuzz";
import { isDigest } from "@longshore/reference";
import { type Descriptor, mediaTypes } from "../image.ts";
import { mediaTypeProblem, sizeProblem } from "./descriptor.ts";
import { parseImage, parseIndex, parseManifest } from "./documents.ts";

const digest = `sha256:${"0a".repeat(32)}`;
const descriptor = {
  mediaType: mediaTypes.ociLayer,
  digest,
  size: 5,
  urls: ["http://x/"],
  annotations: { a: "b" },
  platform: { os: "linux", architecture: "amd64", variant: "v1", "os.features": ["x"] },
};
const documents = {
  index: {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [descriptor, descriptor],
    annotations: { a: "b" },
    subject: descriptor,
  },
  manifest: {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptor,
    layers: [descriptor, descriptor],
    annotations: {},
  },
  image: {
    created: "2024-01-01T00:00:00Z",
    os: "linux",
    architecture: "amd64",
    config: {
      User: "u",
      Env: ["A=b"],
      Cmd: ["sh"],
      Labels: { a: "b" },
      ExposedPorts: { "80/tcp": {} },
      Healthcheck: { Test: ["CMD"], Interval: 5 },
      StopTimeout: 1,
    },
    rootfs: { type: "layers", diff_ids: [digest] },
    history: [{ created: "2024-01-01T00:00:00Z", created_by: "x", empty_layer: true }],
  },
};
const values = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 53,
  2 ** 60,
  2 ** 70,
  1e308,
  "",
  "../../x",
  "a\0b",
  "\ud800",
  digest,
  "sha256:00",
  "x".repeat(300),
  [],
  [null],
  {},
  { "": "" },
  [[[[]]]],
] as const;
const names = [
  "manifests",
  "config",
  "layers",
  "fsLayers",
  "Size",
  "DIGEST",
  "__proto__",
  "constructor",
  "toString",
  "",
] as const;

/** A copy in which one thing, anywhere, is something else. */
function mutated(random: Random, value: unknown): unknown {
  const here = random.chance(0.15);
  if (here || typeof value !== "object" || value === null) return random.pick<unknown>(values as unknown as [unknown]);
  if (Array.isArray(value)) {
    const at = random.int(0, Math.max(0, value.length - 1));
    return value.length === 0
      ? [random.pick<unknown>(values as unknown as [unknown])]
      : value.map((element, index) => (index === at ? mutated(random, element) : (element as unknown)));
  }
  const entries = Object.entries(value);
  if (entries.length === 0 || random.chance(0.1))
    return Object.fromEntries([...entries, [random.pick(names), random.pick<unknown>(values as unknown as [unknown])]]);
  const at = random.int(0, entries.length - 1);
  return Object.fromEntries(
    entries.map(([key, member], index) => [key, index === at ? mutated(random, member) : (member as unknown)]),
  );
}

function assertDescriptor({ mediaType, digest: own, size, platform, annotations = {}, urls = [] }: Descriptor): void {
  assert.ok(isDigest(own) && sizeProblem(size) === undefined && mediaTypeProblem(mediaType) === undefined);
  if (platform !== undefined)
    assert.deepEqual([typeof platform.os, typeof platform.architecture], ["string", "string"]);
  for (const text of [...urls, ...Object.values(annotations)]) assert.equal(typeof text, "string");
}

const readers: Record<keyof typeof documents, (text: string) => void> = {
  index: (text) => parseIndex("d", text).manifests.forEach(assertDescriptor),
  manifest: (text) => {
    const { config, layers } = parseManifest("d", text);
    [config, ...layers].forEach(assertDescriptor);
  },
  image: (text) => {
    const { os, architecture, rootfs, config = {}, created, history = [] } = parseImage("d", text);
    assert.deepEqual([typeof os, typeof architecture], ["string", "string"]);
    assert.ok(rootfs.diff_ids.every(isDigest));
    for (const label of Object.values(config["Labels"] ?? {})) assert.equal(typeof label, "string");
    for (const entry of (config["Env"] ?? []) as unknown[]) assert.equal(typeof entry, "string");
    for (const time of [created, ...history.map((step) => step.created)])
      if (time !== undefined) assert.ok(!Number.isNaN(Date.parse(time)));
  },
};

describe("OCI documents of any kind", () => {
  it("are read to what can be used as it stands, or refused by name", async function () {
    this.timeout(0);
    const outcomes = { read: 0, refused: 0 };
    await fuzz(3000, (random) => {
      const kind = random.pick(["index", "manifest", "image"] as const);
      let document: unknown = documents[kind];
      for (let changes = random.int(1, 3); changes > 0; changes--) document = mutated(random, document);
      const whole = JSON.stringify(document) ?? "";
      const text = random.chance(0.8)
        ? whole
        : whole.slice(0, random.int(0, whole.length)) + random.pick(["", "}", "]", '"', "\0", "5"]);
      try {
        readers[kind](text);
        outcomes.read++;
      } catch (error) {
        assert.ok(isKind(error, "InvalidArgument") && messageOf(error).startsWith("d"), error as Error);
        outcomes.refused++;
      }
    });
    assert.ok(
      process.env["LONGSHORE_FUZZ_ROUNDS"] !== undefined || Math.min(outcomes.read, outcomes.refused) > 100,
      JSON.stringify(outcomes),
    );
  });
});
