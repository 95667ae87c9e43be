import assert from "node:assert/strict";
import { hostState, leftBehind } from "./host/state.ts";
import { until } from "./host/until.ts";
import { before as atFirst, shared } from "./engine/shared.ts";

describe("after all tests", () => {
  it("nothing is left of containers, networks and daemons", async () => {
    const ids = (await shared.ok(["ps", "-aq"])).split("\n").filter(Boolean);
    if (ids.length > 0) await shared.ok(["rm", "-f", "-v", ...ids]);
    await shared.ok(["network", "prune", "-f"]);
    await shared.dispose();
    let left: unknown;
    await until("the host is as it was before", async () => {
      left = leftBehind(atFirst, await hostState("/tmp/longshore-"));
      return Object.keys(left as object).length === 0;
    }).catch(() => undefined);
    assert.deepEqual(left, {});
  });
});
