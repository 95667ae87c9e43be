import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { normalize } from "./normalize.ts";

describe("what ctr prints, without what is chance", () => {
  for (const id of ["341279690-Mcm-", "341279690-_-5s", "341279690-12ms", "341279690-abcd"])
    it(`${id} is a name drawn by chance`, () => {
      assert.deepEqual(normalize(`${id}  a=b\n extract-${id} sha256:1`, []), [
        "{random} a=b",
        "extract-{random} sha256:1",
      ]);
    });
});
