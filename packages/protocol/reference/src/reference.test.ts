import assert from "node:assert/strict";
import {
  familiarString,
  format,
  isDigest,
  parse,
  parseAnyReference,
  parseDockerRef,
  parseNormalized,
  splitHostPath,
  tagNameOnly,
  trimNamed,
  validateDigest,
  withDigest,
  withTag,
} from "./index.ts";

const hex = "a".repeat(64);
const digest = `sha256:${hex}`;

function fails(call: () => unknown, message: string): void {
  assert.throws(call, { name: "InvalidArgument", message });
}

describe("reference", () => {
  const normalized: [given: string, whole: string, familiar: string][] = [
    ["debian", "docker.io/library/debian", "debian"],
    ["debian:12", "docker.io/library/debian:12", "debian:12"],
    ["library/debian", "docker.io/library/debian", "debian"],
    ["docker.io/debian", "docker.io/library/debian", "debian"],
    ["index.docker.io/debian", "docker.io/library/debian", "debian"],
    ["index.docker.io/library/debian", "docker.io/library/debian", "debian"],
    ["user/app", "docker.io/user/app", "user/app"],
    ["docker.io/user/app:v1", "docker.io/user/app:v1", "user/app:v1"],
    ["library/a/b", "docker.io/library/a/b", "library/a/b"],
    ["docker.io", "docker.io/library/docker.io", "docker.io"],
    ["localhost/x", "localhost/x", "localhost/x"],
    ["localhost:5000/x:y", "localhost:5000/x:y", "localhost:5000/x:y"],
    ["foo:80/x", "foo:80/x", "foo:80/x"],
    ["foo:80", "docker.io/library/foo:80", "foo:80"],
    ["Foo.com/x", "Foo.com/x", "Foo.com/x"],
    ["FOO/x", "FOO/x", "FOO/x"],
    ["[::1]:5000/x", "[::1]:5000/x", "[::1]:5000/x"],
    ["[fe80::1]/x/y", "[fe80::1]/x/y", "[fe80::1]/x/y"],
    ["x--y", "docker.io/library/x--y", "x--y"],
    ["x__y", "docker.io/library/x__y", "x__y"],
    ["a/b/c/d", "docker.io/a/b/c/d", "a/b/c/d"],
    [`x@${digest}`, `docker.io/library/x@${digest}`, `x@${digest}`],
    [`x:t@${digest}`, `docker.io/library/x:t@${digest}`, `x:t@${digest}`],
    [`x@sha512:${hex}${hex}`, `docker.io/library/x@sha512:${hex}${hex}`, `x@sha512:${hex}${hex}`],
    [`x:${"t".repeat(128)}`, `docker.io/library/x:${"t".repeat(128)}`, `x:${"t".repeat(128)}`],
    ["X.io/a:T_t.-", "X.io/a:T_t.-", "X.io/a:T_t.-"],
  ];
  for (const [given, whole, familiar] of normalized) {
    it(`normalizes ${given.slice(0, 40)}`, () => {
      const reference = parseNormalized(given);
      assert.equal(format(reference), whole);
      assert.equal(familiarString(reference), familiar);
      assert.deepEqual(parseNormalized(familiar), reference);
    });
  }

  const refused: [given: string, message: string][] = [
    ["UPPER", "invalid reference format: repository name (library/UPPER) must be lowercase"],
    ["UPPER:x", "invalid reference format: repository name (library/UPPER) must be lowercase"],
    ["a/UPPER", "invalid reference format: repository name (a/UPPER) must be lowercase"],
    ["localhost:5000/UPPER", "invalid reference format: repository name (UPPER) must be lowercase"],
    ["docker.io/UP", "invalid reference format: repository name (library/UP) must be lowercase"],
    [hex, `invalid repository name (${hex}), cannot specify 64-byte hexadecimal strings`],
    ["", "invalid reference format"],
    ["a:b:c", "invalid reference format"],
    [":x", "invalid reference format"],
    ["x:", "invalid reference format"],
    ["-x", "invalid reference format"],
    ["x..y", "invalid reference format"],
    ["x___y", "invalid reference format"],
    ["x:.t", "invalid reference format"],
    [`x:${"t".repeat(129)}`, "invalid reference format"],
    ["x@sha256:abc", "invalid reference format"],
    ["[fe80::1%25eth0]/x", "invalid reference format"],
    ["http://x/y", "invalid reference format"],
    ["a//b", "invalid reference format"],
    ["x y", "invalid reference format"],
    ["x\n", "invalid reference format"],
    ["../x", "invalid reference format"],
    ["localhost:5000/../x", "invalid reference format"],
    [`x@md5:${"a".repeat(32)}`, "unsupported digest algorithm"],
    [`x@sha256:${"A".repeat(64)}`, "invalid checksum digest format"],
    [`x@sha256:${"a".repeat(63)}`, "invalid checksum digest length"],
    ["a/".repeat(5_000_000) + "b", "repository name must not be more than 255 characters"],
    [`a!${"a-".repeat(5_000_000)}`, "invalid reference format"],
    ["a/".repeat(150) + "b", "repository name must not be more than 255 characters"],
  ];
  for (const [given, message] of refused) {
    it(`refuses ${JSON.stringify(given.slice(0, 40))}`, () => fails(() => parseNormalized(given), message));
  }

  it("answers bad names at once, however long", () => {
    for (const part of ["a-", "a.", "-", "a", "a/", "_", "a:"]) {
      const started = performance.now();
      assert.throws(() => parseNormalized(`${part.repeat(20_000)}!`));
      assert.ok(performance.now() - started < 500, part);
    }
  });

  it("parses strictly, without Docker's defaults", () => {
    assert.deepEqual(parse("debian"), { domain: "", path: "debian" });
    assert.deepEqual(parse(`a.b/c:d@${digest}`), { domain: "a.b", path: "c", tag: "d", digest });
    fails(() => parse(""), "repository name must have at least one component");
    fails(() => parse("aA"), "repository name must be lowercase");
  });

  it("completes a name for pulling", () => {
    assert.equal(format(parseDockerRef("x")), "docker.io/library/x:latest");
    assert.equal(format(parseDockerRef("x:1")), "docker.io/library/x:1");
    assert.equal(format(parseDockerRef(`x:1@${digest}`)), `docker.io/library/x@${digest}`);
    assert.equal(format(tagNameOnly(parseNormalized(`x@${digest}`))), `docker.io/library/x@${digest}`);
  });

  it("changes tag and digest", () => {
    const x = parseNormalized("x:1");
    assert.equal(familiarString(withTag(x, "2")), "x:2");
    assert.equal(familiarString(withDigest(trimNamed(x), digest)), `x@${digest}`);
    fails(() => withTag(x, "."), "invalid tag format");
    fails(() => withDigest(x, "sha256:abc"), "invalid checksum digest length");
  });

  it("tells image IDs from names", () => {
    assert.deepEqual(parseAnyReference(hex), { kind: "digest", digest });
    assert.deepEqual(parseAnyReference(digest), { kind: "digest", digest });
    assert.deepEqual(parseAnyReference("sha256:abc"), {
      kind: "name",
      reference: { domain: "docker.io", path: "library/sha256", tag: "abc" },
    });
  });

  it("splits host and path", () => {
    assert.deepEqual(splitHostPath("debian:12"), { host: "docker.io", path: "library/debian:12" });
    assert.deepEqual(splitHostPath("index.docker.io/a/b"), { host: "docker.io", path: "a/b" });
    assert.deepEqual(splitHostPath("localhost:5000/a"), { host: "localhost:5000", path: "a" });
  });

  it("checks digests", () => {
    assert.ok(isDigest(digest));
    assert.ok(!isDigest("sha256:"));
    fails(() => validateDigest("x"), "invalid checksum digest format");
    fails(() => validateDigest("__proto__:aa"), "invalid checksum digest format");
    fails(() => validateDigest(`constructor:${hex}`), "unsupported digest algorithm");
  });
});
