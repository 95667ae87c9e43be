import assert from "node:assert/strict";
import { globalFlags, helpText, parseFlags } from "./flags.ts";

describe("containerd's flags", () => {
  it("takes them in all of Go's forms, up to the subcommand", () => {
    const { values, rest } = parseFlags(
      ["--root", "/r", "-a=/x.sock", "-log-level", "debug", "--state=/a=b", "publish", "--topic", "/t"],
      globalFlags,
    );
    assert.deepEqual(Object.fromEntries(values), {
      root: "/r",
      address: "/x.sock",
      "log-level": "debug",
      state: "/a=b",
    });
    assert.deepEqual(rest, ["publish", "--topic", "/t"]);
    assert.deepEqual(parseFlags(["-v", "--", "-x"], globalFlags).rest, ["-x"]);
  });

  it("refuses unknown ones and missing values with Go's words", () => {
    assert.throws(() => parseFlags(["--bogus"], globalFlags), { message: "flag provided but not defined: -bogus" });
    assert.throws(() => parseFlags(["--root"], globalFlags), { message: "flag needs an argument: -root" });
  });

  it("lists each flag in the help", () => {
    for (const { name } of globalFlags) assert.ok(helpText("/c.toml").includes(`--${name}`));
  });
});
