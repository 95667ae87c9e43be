import assert from "node:assert/strict";
import { Uses } from "./uses.ts";

describe("uses", () => {
  it("are waited for until the last one has ended, also one that fails", async () => {
    const uses = new Uses();
    await uses.over();
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const seen: string[] = [];
    const failing = uses.during(async () => {
      await first.promise;
      seen.push("first");
      throw new Error("no");
    });
    const other = uses.during(async () => {
      await second.promise;
      seen.push("second");
    });
    const over = Promise.all([uses.over(), uses.over()]).then(() => seen.push("over"));
    first.resolve();
    await assert.rejects(failing, /no/);
    second.resolve();
    await Promise.all([other, over]);
    assert.deepEqual(seen, ["first", "second", "over"]);
    assert.equal(await uses.during(async () => "again"), "again");
  });
});
