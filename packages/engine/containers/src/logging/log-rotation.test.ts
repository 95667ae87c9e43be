import assert from "node:assert/strict";
import { logRotation } from "./log-rotation.ts";

describe("log rotation", () => {
  it("each driver has its own limits and words", () => {
    assert.deepEqual(logRotation("json-file", {}), { maxSize: undefined, maxFiles: undefined, compress: undefined });
    assert.deepEqual(logRotation("local", {}), { maxSize: 20_000_000, maxFiles: 5, compress: true });
    assert.deepEqual(logRotation("local", { "max-size": "0", "max-file": "1", compress: "0" }), {
      maxSize: undefined,
      maxFiles: 1,
      compress: false,
    });
    const refused: [string, Record<string, string>, string][] = [
      ["json-file", { "max-size": "0" }, "max-size must be a positive number"],
      ["json-file", { "max-file": "1.5" }, 'strconv.Atoi: parsing "1.5": invalid syntax'],
      [
        "json-file",
        { "max-file": "99999999999999999999" },
        'strconv.Atoi: parsing "99999999999999999999": value out of range',
      ],
      ["json-file", { "max-file": "0" }, "max-file cannot be less than 1"],
      ["json-file", { compress: "" }, 'strconv.ParseBool: parsing "": invalid syntax'],
      [
        "json-file",
        { compress: "1", "max-size": "1k" },
        "compress cannot be true when max-file is less than 2 or max-size is not set",
      ],
      ["local", { "max-size": "-1" }, "invalid value for max-size: -1: invalid size: '-1'"],
      ["local", { "max-file": "-1" }, "max file count cannot be less than 0"],
      ["local", { "max-file": "1" }, "compression cannot be enabled when max file count is 1"],
      ["local", { compress: "x" }, 'error reading compress log option: strconv.ParseBool: parsing "x": invalid syntax'],
    ];
    for (const [driver, options, message] of refused)
      assert.throws(() => logRotation(driver, options), { message }, message);
  });
});
