import assert from "node:assert/strict";
import {
  boolOf,
  fromHumanSize,
  humanSize,
  parseBool,
  parseDuration,
  parseInteger,
  parseSignal,
  ramInBytes,
} from "./index.ts";

function table<T>(parse: (text: string) => T, read: [string, T][], refused: [string, string][]): void {
  for (const [text, value] of read) assert.equal(parse(text), value, text);
  for (const [text, message] of refused) assert.throws(() => parse(text), { kind: "InvalidArgument", message }, text);
}

describe("values as Go reads them", () => {
  it("booleans", () => {
    for (const text of ["1", "t", "T", "TRUE", "true", "True"]) assert.equal(parseBool(text), true);
    for (const text of ["0", "f", "F", "FALSE", "false", "False"]) assert.equal(parseBool(text), false);
    for (const text of ["", "yes", "tRUE", " 1", "constructor"]) assert.equal(boolOf(text), undefined);
    assert.throws(() => parseBool('a"b'), { message: 'strconv.ParseBool: parsing "a\\"b": invalid syntax' });
  });

  it("whole numbers", () => {
    table(
      (text) => parseInteger(text, "Atoi"),
      [
        ["0", 0],
        ["-0", 0],
        ["+12", 12],
        ["-0012", -12],
        ["-9223372036854775808", -(2 ** 63)],
      ],
      [
        ["", 'strconv.Atoi: parsing "": invalid syntax'],
        ["1.5", 'strconv.Atoi: parsing "1.5": invalid syntax'],
        ["9223372036854775808", 'strconv.Atoi: parsing "9223372036854775808": value out of range'],
        ["9".repeat(99), `strconv.Atoi: parsing "${"9".repeat(99)}": value out of range`],
      ],
    );
    table(
      (text) => parseInteger(text, "ParseUint", 16),
      [
        ["65535", 65_535],
        ["0000000000000000000000001", 1],
      ],
      [
        ["65536", 'strconv.ParseUint: parsing "65536": value out of range'],
        ["+1", 'strconv.ParseUint: parsing "+1": invalid syntax'],
        ["-1", 'strconv.ParseUint: parsing "-1": invalid syntax'],
      ],
    );
    assert.equal(parseInteger("-2147483648", "ParseInt", 32), -(2 ** 31));
    assert.throws(() => parseInteger("2147483648", "ParseInt", 32), /value out of range/);
  });

  it("durations", () => {
    table(
      parseDuration,
      [
        ["0", 0],
        ["-0", 0],
        ["1h30m", 5400e9],
        ["1.5s", 1.5e9],
        [".5m", 30e9],
        ["1.s", 1e9],
        ["-1m1ns", -60_000_000_001],
        ["3us4µs5μs", 12_000],
      ],
      [
        ["", 'time: invalid duration ""'],
        ["-", 'time: invalid duration "-"'],
        ["x", 'time: invalid duration "x"'],
        [".s", 'time: invalid duration ".s"'],
        ["5", 'time: missing unit in duration "5"'],
        ["1h5", 'time: missing unit in duration "1h5"'],
        ["1d", 'time: unknown unit "d" in duration "1d"'],
        ["1constructor", 'time: unknown unit "constructor" in duration "1constructor"'],
        ["1é", 'time: unknown unit "\\xc3\\xa9" in duration "1\\xc3\\xa9"'],
        ["9999999h", 'time: invalid duration "9999999h"'],
      ],
    );
  });

  it("sizes, in powers of 1024 or 1000", () => {
    const refused: [string, string][] = [
      ["junk", "invalid size: 'junk'"],
      ["", "invalid size: ''"],
      ["-1", "invalid size: '-1'"],
      ["10X", "invalid suffix: 'x'"],
      ["1kbs", "invalid suffix: 'kbs'"],
      ["1Kilo", "invalid suffix: 'Kilo'"],
      ["1bb", "invalid suffix: 'bb'"],
      ["1ib", "invalid suffix: 'ib'"],
      ["1.2.3k", 'strconv.ParseFloat: parsing "1.2.3": invalid syntax'],
      ["64M ", 'strconv.ParseFloat: parsing "64M": invalid syntax'],
      ["1e999", 'strconv.ParseFloat: parsing "1e999": value out of range'],
      [" ", 'strconv.ParseFloat: parsing "": invalid syntax'],
    ];
    table(
      ramInBytes,
      [
        ["64M", 64 << 20],
        ["1gib", 1 << 30],
        ["1 GB", 1 << 30],
        ["512", 512],
        ["7b", 7],
        ["1.5k", 1536],
        ["1e3", 1000],
        ["+1", 1],
      ],
      refused,
    );
    table(
      fromHumanSize,
      [
        ["20k", 20_000],
        ["1.5m", 1_500_000],
        ["2 MB", 2_000_000],
        ["1gib", 1e9],
      ],
      refused,
    );
    assert.deepEqual([0, 999, 1000, 1_081_234, 2e18].map(humanSize), ["0B", "999B", "1kB", "1.081MB", "2000PB"]);
  });

  it("signals", () => {
    table(
      parseSignal,
      [
        ["SIGTERM", 15],
        ["term", 15],
        ["sigrtmin+3", 37],
        ["RTMAX-14", 50],
        ["CLD", 17],
        ["9", 9],
        ["-1", -1],
      ],
      [
        ["0", "invalid signal: 0"],
        ["", "invalid signal: "],
        ["SIG", "invalid signal: SIG"],
        ["RTMIN+16", "invalid signal: RTMIN+16"],
      ],
    );
  });
});
