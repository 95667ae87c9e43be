import assert from "node:assert/strict";
import { join } from "node:path";
import { type Package, findViolations, readPackages } from "./packages.ts";

const packages = readPackages(join(import.meta.dirname, "../.."));

function planted(folder: string, ...dependencies: string[]): Package {
  return { name: "@longshore/planted", folder, dependencies, devDependencies: [] };
}

describe("the layer rule", () => {
  it("holds for this repository", () => {
    assert.ok(packages.length > 30, `${packages.length} packages were found`);
    assert.deepEqual(findViolations(packages), []);
  });

  for (const [folder, dependency, breach] of [
    ["packages/base/planted", "@longshore/ttrpc", "packages/base/planted must not use packages/protocol/ttrpc"],
    [
      "packages/protocol/planted",
      "@longshore/archive",
      "packages/protocol/planted must not use packages/shared/archive",
    ],
    [
      "packages/shared/planted",
      "@longshore/content",
      "packages/shared/planted must not use packages/containerd/content",
    ],
    [
      "packages/engine/planted",
      "@longshore/content",
      "packages/engine/planted must not use packages/containerd/content",
    ],
    [
      "packages/containerd/planted",
      "@longshore/images",
      "packages/containerd/planted must not use packages/engine/images",
    ],
    [
      "packages/build/planted",
      "@longshore/snapshots",
      "packages/build/planted must not use packages/containerd/snapshots",
    ],
    ["packages/engine/planted", "@longshore/engine", "packages/engine/planted must not use apps/engine"],
    ["apps/engine", "@longshore/snapshots", "apps/engine is of another side than packages/containerd/snapshots"],
    ["apps/containerd", "@longshore/containers", "apps/containerd is of another side than packages/engine/containers"],
    ["apps/shim", "@longshore/runtime", "apps/shim is of another side than packages/containerd/runtime"],
    ["apps/shim", "@longshore/archive", "apps/shim must stay small and not use packages/shared/archive"],
    ["apps/docker-proxy", "@longshore/networks", "apps/docker-proxy is of another side than packages/engine/networks"],
    [
      "apps/docker-proxy",
      "@longshore/archive",
      "apps/docker-proxy must stay small and not use packages/shared/archive",
    ],
    ["packages/engine/planted", "fastify", "packages/engine/planted must not know fastify"],
    ["packages/shared/planted", "@grpc/grpc-js", "packages/shared/planted must not know @grpc/grpc-js"],
    [
      "packages/planted/odd",
      "@longshore/sys",
      "packages/planted/odd: packages/planted is no folder of the architecture",
    ],
  ] as const) {
    it(`bites when ${folder} uses ${dependency}`, () => {
      const found = findViolations([...packages, planted(folder, dependency)]);
      assert.deepEqual(
        found.map((each) => each.slice(0, breach.length)),
        [breach],
      );
    });
  }

  it("bites on a development dependency, too", () => {
    const each = { ...planted("packages/base/planted"), devDependencies: ["@longshore/ttrpc"] };
    assert.deepEqual(findViolations([...packages, each]), [
      "packages/base/planted must not use packages/protocol/ttrpc",
    ]);
  });

  it("bites on a cycle, once", () => {
    const base = (name: string, ...dependencies: string[]): Package => ({
      name,
      folder: `packages/base/${name}`,
      dependencies,
      devDependencies: [],
    });
    assert.deepEqual(findViolations([base("a", "b"), base("b", "c"), base("c", "a")]), ["cycle: a → b → c → a"]);
  });
});
