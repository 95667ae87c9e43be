import assert from "node:assert/strict";
import { addressProblem } from "./address-problem.ts";

/** As Go's netip.ParseAddr answers. */
const cases: [text: string, problem: string | undefined][] = [
  ["1.2.3.4", undefined],
  ["255.0.0.1", undefined],
  ["::", undefined],
  ["::1", undefined],
  ["1::", undefined],
  ["fe80::1%eth0", undefined],
  ["1:2:3:4:5:6:7:8", undefined],
  ["::ffff:1.2.3.4", undefined],
  ["1:2:3:4:5:6:1.2.3.4", undefined],
  ["", "unable to parse IP"],
  ["x", "unable to parse IP"],
  ["%eth0", "missing IPv6 address"],
  ["1.2.3", "IPv4 address too short"],
  ["1.2.3.4.5", "IPv4 address too long"],
  ["1.2.3.", 'IPv4 field must have at least one digit (at ".")'],
  [".1.2.3", 'IPv4 field must have at least one digit (at ".1.2.3")'],
  ["1..2.3", 'IPv4 field must have at least one digit (at ".2.3")'],
  ["1.2.3.256", "IPv4 field has value >255"],
  ["1.2.3.04", "IPv4 field has octet with leading zero"],
  ["8.8.8.8:53", 'unexpected character (at ":53")'],
  ["1.2.3.4 5.6.7.8", 'unexpected character (at " 5.6.7.8")'],
  ["fe80::1%", "zone must be a non-empty string"],
  ["1:2", "address string too short"],
  ["1:2:3:4:5:6:7:8:9", 'trailing garbage after address (at "9")'],
  ["1::2::3", 'multiple :: in address (at ":3")'],
  ["12345::", 'each group must have 4 or less digits (at "12345::")'],
  ["1:2:3:4:5:6:7::8", "the :: must expand to at least one field of zeros"],
  ["1:2:3:4:5:6:7:8::", "the :: must expand to at least one field of zeros"],
  ["1::2:3:4:5:6:7:8", "the :: must expand to at least one field of zeros"],
  ["::g", 'each colon-separated field must have at least one digit (at "g")'],
  ["1:x", 'each colon-separated field must have at least one digit (at "x")'],
  ["1:2x", 'unexpected character, want colon (at "x")'],
  ["1:", 'colon must be followed by more characters (at ":")'],
  ["1:1.2.3.4", 'embedded IPv4 address must replace the final 2 fields of the address (at "1.2.3.4")'],
];

describe("what is wrong with an address", () => {
  for (const [text, problem] of cases) {
    it(`${JSON.stringify(text)}: ${problem ?? "nothing"}`, () => {
      assert.equal(
        addressProblem(text),
        problem === undefined ? undefined : `ParseAddr(${JSON.stringify(text)}): ${problem}`,
      );
    });
  }
});
