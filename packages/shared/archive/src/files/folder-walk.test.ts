import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, openSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { filesBelow } from "./folder-walk.ts";

describe("walks of folders", () => {
  let root = "";
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), "walk-"))));
  afterEach(() => rmSync(root, { recursive: true }));
  const open = (): number => openSync(root, "r");
  const openFiles = (): number => readdirSync("/proc/self/fd").length;

  /** Nested folders, each with a file that comes after its folder. */
  function nest(depth: number): void {
    for (let level = 0, at = root; level < depth; level++, at = join(at, "d")) {
      mkdirSync(join(at, "d"));
      writeFileSync(join(at, "f"), "");
    }
  }

  it("hold few folders open, however deep they lie in each other", () => {
    const depth = 1500;
    nest(depth);
    const before = openFiles();
    let [most, count, last] = [0, 0, ""];
    for (const { name } of filesBelow(open())) {
      if (count++ % 50 === 0) most = Math.max(most, openFiles() - before);
      last = name;
    }
    assert.deepEqual([count, last], [2 * depth, "f"]);
    assert.ok(most <= 36, `${most} were open`);
    assert.equal(openFiles(), before);
  });

  it("tell all in order, folders before what they hold", () => {
    nest(40);
    const names = [...filesBelow(open())].map(({ name }) => name);
    const way = (levels: number, name: string): string =>
      [...Array.from({ length: levels }, () => "d"), name].join("/");
    const down = Array.from({ length: 40 }, (_, level) => way(level, "d"));
    assert.deepEqual(names, [...down, ...Array.from({ length: 40 }, (_, level) => way(39 - level, "f"))]);
  });

  it("lose only what is moved away meanwhile, and never leave the tree", () => {
    const outside = mkdtempSync(join(tmpdir(), "outside-"));
    try {
      writeFileSync(join(outside, "secret"), "");
      nest(60);
      const names: string[] = [];
      for (const { name } of filesBelow(open())) {
        names.push(name);
        // The innermost folders are open by then, the one that they lie in is not.
        if (name === Array.from({ length: 60 }, () => "d").join("/"))
          renameSync(join(root, "d/d/d"), join(outside, "moved"));
      }
      assert.ok(!names.some((name) => name.includes("secret")));
      assert.deepEqual(names.slice(-3), ["d/d/f", "d/f", "f"]);
    } finally {
      rmSync(outside, { recursive: true });
    }
  });

  it("close what they opened when nobody goes on", () => {
    nest(60);
    const before = openFiles();
    for (const { name } of filesBelow(open())) if (name.length > 90) break;
    assert.equal(openFiles(), before);
  });
});
