import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeDirectories } from "./working-directory.ts";

describe("the working directory of a new container", () => {
  let base: string;
  let root: string;
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), "workdir-"));
    root = join(base, "root");
    mkdirSync(join(root, "srv/dir"), { recursive: true });
    mkdirSync(join(base, "outside"));
    writeFileSync(join(root, "file"), "");
    const links = {
      "to-dir": "/srv/dir",
      "to-nothing": "/later/on",
      "srv/beside": "../next",
      out: "../../../outside",
      "out-absolute": join(base, "outside/x"),
      loop: "loop",
      "srv/dir/up": "..",
      "to-file": "file",
    };
    for (const [name, target] of Object.entries(links)) symlinkSync(target, join(root, name));
  });
  afterEach(() => rmSync(base, { recursive: true }));

  const cases: [path: string, made: string[], there: boolean][] = [
    ["/srv/dir", ["srv/dir"], true],
    ["/to-dir", ["srv/dir"], true],
    ["/new/deep/one", ["new/deep/one"], false],
    ["/to-dir/sub", ["srv/dir/sub"], false],
    ["/to-nothing", ["later/on"], false],
    ["/to-nothing/sub", ["later/on/sub"], false],
    ["/srv/beside", ["next"], false],
    ["/srv/dir/up/new", ["srv/new"], false],
    ["/out", ["outside"], false],
    ["/out/x", ["outside/x"], false],
  ];
  for (const [path, made, there] of cases) {
    it(`makes ${path}`, () => {
      assert.equal(makeDirectories(root, path, path), there);
      for (const each of made) assert.ok(statSync(join(root, each)).isDirectory(), each);
      assert.equal(makeDirectories(root, path, path), true);
    });
  }

  it("leaves what is outside of the root alone", () => {
    makeDirectories(root, "/out-absolute", "/out-absolute");
    makeDirectories(root, "/out/new", "/out/new");
    assert.deepEqual([existsSync(join(base, "outside/x")), existsSync(join(base, "outside/new"))], [false, false]);
  });

  const refused: [path: string, message: string | RegExp][] = [
    ["/file", "Cannot mkdir: /file is not a directory"],
    ["/to-file", "Cannot mkdir: /to-file is not a directory"],
    ["/file/x", "lstat /file/x: not a directory"],
    ["/loop", /^lstat \/loop: /],
    ["/loop/x", /^lstat \/loop\/x: /],
  ];
  for (const [path, message] of refused)
    it(`refuses ${path}`, () => assert.throws(() => makeDirectories(root, path, path), { message }));
});
