import assert from "node:assert/strict";
import { formatPlatform, rankPlatforms } from "@longshore/oci";
import { archivedNames, storedNames } from "./images/image-names.ts";

describe("image names", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const image = (annotations: Record<string, string>) => ({ mediaType: "m", digest, size: 1, annotations });
  const rule = { name: "pre/fix", isPrefix: true, allowOverwrite: false, addDigest: false, skipNamedDigest: false };
  const names = (annotations: Record<string, string>, change = {}) =>
    archivedNames(image(annotations), { extraReferences: [{ ...rule, ...change }] });

  it("of archives follow the prefix", () => {
    assert.deepEqual(names({ "io.containerd.image.name": "pre/fix:1" }), ["pre/fix:1"]);
    assert.deepEqual(names({ "io.containerd.image.name": "pre/fixed:1" }), []);
    assert.deepEqual(names({ "io.containerd.image.name": "else:1" }), []);
    assert.deepEqual(names({ "io.containerd.image.name": "else:1" }, { allowOverwrite: true }), ["else:1"]);
    assert.deepEqual(names({ "org.opencontainers.image.ref.name": "1" }), ["pre/fix:1"]);
    assert.deepEqual(names({}), []);
    assert.deepEqual(names({}, { addDigest: true }), [`pre/fix@${digest}`]);
    assert.deepEqual(names({ "org.opencontainers.image.ref.name": "1" }, { addDigest: true }), [
      "pre/fix:1",
      `pre/fix@${digest}`,
    ]);
    assert.deepEqual(names({ "org.opencontainers.image.ref.name": "1" }, { addDigest: true, skipNamedDigest: true }), [
      "pre/fix:1",
    ]);
  });

  it("of pulls are those asked for", () => {
    const extraReferences = [
      rule,
      { ...rule, isPrefix: false, name: "b:1" },
      { ...rule, isPrefix: false, name: "c", addDigest: true },
    ];
    assert.deepEqual(storedNames(image({}), { name: "a:1", extraReferences }), ["a:1", "b:1", `c@${digest}`]);
  });
});

describe("platforms", () => {
  it("are the same however they are spelled", () => {
    assert.equal(formatPlatform({ os: "Linux", architecture: "x86_64" }), "linux/amd64");
    assert.equal(formatPlatform({ os: "linux", architecture: "aarch64", variant: "v8" }), "linux/arm64");
    assert.equal(formatPlatform({ os: "linux", architecture: "arm" }), "linux/arm/v7");
    assert.equal(formatPlatform({ os: "linux", architecture: "arm", variant: "6" }), "linux/arm/v6");
  });

  it("prefer the nearest variant that runs", () => {
    const rank = rankPlatforms([{ os: "linux", architecture: "arm64" }]);
    const of = (architecture: string, variant = ""): number | undefined =>
      rank({ os: "linux", architecture, ...(variant === "" ? {} : { variant }) });
    assert.equal(of("arm64"), 0);
    assert.ok((of("arm", "v7") ?? 0) < (of("arm", "v6") ?? 0));
    assert.equal(of("amd64"), undefined);
    assert.equal(rankPlatforms([])({ os: "windows", architecture: "amd64" }), 0);
  });
});
