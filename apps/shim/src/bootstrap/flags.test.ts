import assert from "node:assert/strict";
import { parseFlags } from "./flags.ts";

describe("shim flags", () => {
  it("are read as Go reads them", () => {
    const flags = parseFlags([
      "-namespace",
      "moby",
      "--id=a=b",
      "-debug",
      "-address",
      "/run/c.sock",
      "-bundle",
      "",
      "delete",
      "-x",
    ]);
    assert.deepEqual(
      [flags.namespace, flags.id, flags.debug, flags.address, flags.bundle, flags.action, flags.rest],
      ["moby", "a=b", true, "/run/c.sock", "", "delete", ["-x"]],
    );
    assert.equal(parseFlags(["-debug=false", "-v"]).debug, false);
    assert.equal(parseFlags(["-v"]).version, true);
    assert.throws(() => parseFlags(["-id"]), /flag needs an argument: -id/);
    assert.throws(() => parseFlags(["-nosuch"]), /not defined: -nosuch/);
  });
});
