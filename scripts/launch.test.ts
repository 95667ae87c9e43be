import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const scripts = dirname(fileURLToPath(import.meta.url));
const arch = process.arch === "arm64" ? "arm64" : "x64";
/** Seconds since the epoch. */
const [old, built, later] = [1_000_000, 2_000_000, 3_000_000];

describe("scripts/launch.sh", () => {
  let root: string;

  function place(path: string, time: number, content = ""): void {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content, { mode: 0o755 });
    utimesSync(file, time, time);
  }

  /** What the daemon's program is started as, below the checkout; the Node of this checkout prints its arguments. */
  function launched(): string {
    const text = execFileSync(
      "sh",
      ["-c", '. "$root/scripts/bundle.sh"; . "$root/scripts/launch.sh"; launch engine dockerd "a b"'],
      { env: { ...process.env, root }, encoding: "utf8" },
    );
    const [program, argument] = text.trim().split("\n").slice(-2);
    assert.equal(argument, "a b");
    return program!.slice(root.length + 1);
  }

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "launch-"));
    mkdirSync(join(root, "scripts"));
    for (const name of ["bundle.sh", "launch.sh"]) {
      copyFileSync(join(scripts, name), join(root, "scripts", name));
      utimesSync(join(root, "scripts", name), old, old);
    }
    place(`scripts/toolchain/node_modules/node-linux-${arch}/bin/node`, old, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n");
    for (const file of [
      "pnpm-lock.yaml",
      "apps/engine/package.json",
      "apps/engine/src/main.ts",
      "apps/engine/src/main.test.ts",
      "packages/base/a/src/deep/index.ts",
      "packages/protocol/proto/gen/a_pb.js",
    ])
      place(file, old);
    place("apps/engine/build/dockerd.mjs", built);
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it("runs the bundle that is as new as all that went into it", () => {
    assert.equal(launched(), "apps/engine/build/dockerd.mjs");
    place("apps/engine/src/main.test.ts", later);
    assert.equal(launched(), "apps/engine/build/dockerd.mjs");
  });

  it("runs the sources where nothing was built", () => {
    rmSync(join(root, "apps/engine/build"), { recursive: true });
    assert.equal(launched(), "apps/engine/src/main.ts");
  });

  for (const changed of [
    "apps/engine/src/main.ts",
    "apps/engine/src/new.ts",
    "packages/base/a/src/deep/index.ts",
    "packages/protocol/proto/gen/a_pb.js",
    "pnpm-lock.yaml",
    "apps/engine/package.json",
  ]) {
    it(`runs the sources when ${changed} is newer than the bundle`, () => {
      place(changed, later);
      assert.equal(launched(), "apps/engine/src/main.ts");
    });
  }
});
