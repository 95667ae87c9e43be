import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Package, findViolations, readPackages } from "./packages.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const leaf = (name: string, ...dependencies: string[]): Package => ({ name, layer: "leaf", dependencies });

describe("the layer rule", () => {
  it("holds for this repository", () => {
    assert.deepEqual(findViolations(readPackages(root)), []);
  });

  it("bites when a leaf is planted that uses a core package", () => {
    const planted = leaf("@longshore/planted", "@longshore/content");
    assert.deepEqual(findViolations([...readPackages(root), planted]), ["@longshore/planted (leaf) must not use @longshore/content (core)"]);
  });

  it("bites on a cycle, once", () => {
    assert.deepEqual(findViolations([leaf("a", "b"), leaf("b", "c"), leaf("c", "a")]), ["cycle: a → b → c → a"]);
  });

  it("keeps fastify and grpc-js out of the core, and the core out of the shim", () => {
    const found = findViolations([
      { name: "k", layer: "core", dependencies: ["fastify"] },
      { name: "@longshore/shim", layer: "app", dependencies: ["k"] },
    ]);
    assert.deepEqual(found, ["k (core) must not know fastify", "the shim must import leaf packages only, not k"]);
  });
});
