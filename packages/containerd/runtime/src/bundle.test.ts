import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Bundle, taskDir } from "./bundle.ts";

describe("a bundle's removal", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "longshore-bundle-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const make = (): Promise<Bundle> =>
    Bundle.create(join(dir, "root"), join(dir, "state"), "ns", "id", Buffer.from("{}"));
  const left = (): string[] => ["root", "state"].flatMap((base) => readdirSync(join(dir, base, taskDir, "ns")));
  const setAside = ({ path, id }: Bundle): void => renameSync(path, join(dirname(path), `.${id}`));

  it("takes all of it, and what an earlier one has left under its hidden name", async () => {
    setAside(await make());
    await (await make()).delete();
    assert.deepEqual(left(), []);
  });

  it("goes on where an earlier one ended after it had hidden the bundle", async () => {
    const bundle = await make();
    setAside(bundle);
    await bundle.delete();
    assert.deepEqual(readdirSync(dirname(bundle.path)), []);
  });
});
