import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MountSpec } from "@longshore/sys";
import type { Container } from "../model/container.ts";
import type { Context } from "../model/context.ts";
import { rootUser } from "./root-user.ts";

describe("the user of a container's root", () => {
  let dir = "";
  let context: Context;
  const container = { record: { Config: { User: "app" } }, hostConfig: { GroupAdd: null } } as unknown as Container;

  function root(name: string): readonly MountSpec[] {
    for (const part of ["fs", "work"]) mkdirSync(join(dir, name, part), { recursive: true });
    return [
      {
        type: "overlay",
        source: "overlay",
        options: [`workdir=${dir}/${name}/work`, `upperdir=${dir}/${name}/fs`, `lowerdir=${dir}/lower`],
      },
    ];
  }
  const write = (layer: string, uid: number): void => {
    mkdirSync(join(dir, layer, "etc"), { recursive: true });
    writeFileSync(join(dir, layer, "etc/passwd"), `app:x:${uid}:${uid}::/:/bin/sh\n`);
  };
  const uidOf = async (mounts: readonly MountSpec[]): Promise<number> =>
    (await rootUser(context, container, mounts)).uid;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "root-user-"));
    context = { settings: { execRoot: dir } } as Context;
    write("lower", 1000);
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("is remembered for an image, not for a container that has changed something", async () => {
    assert.equal(await uidOf(root("a")), 1000);
    // Real layers never change: that these do shows who reads them.
    write("lower", 1001);
    assert.equal(await uidOf(root("b")), 1000);
    const changed = root("c");
    write("c/fs", 2000);
    assert.equal(await uidOf(changed), 2000);
    mkdirSync(join(dir, "d/fs/tmp"), { recursive: true });
    assert.equal(await uidOf(root("d")), 1001);
    assert.deepEqual(readdirSync(join(dir, "mnt")), []);
  });
});
