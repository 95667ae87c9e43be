import assert from "node:assert/strict";
import { portFilter } from "./port-filter.ts";

describe("the filters of ports", () => {
  const ports = [
    { IP: "0.0.0.0", PrivatePort: 80, PublicPort: 18_080, Type: "tcp" as const },
    { IP: "0.0.0.0", PrivatePort: 81, PublicPort: 18_081, Type: "udp" as const },
    { PrivatePort: 90, Type: "tcp" as const },
  ];

  /** What Docker 28.5 finds. */
  const cases: [publish: string[], expose: string[], found: boolean][] = [
    [["80"], [], false],
    [["80-81"], [], false],
    [["18080"], [], true],
    [["18080-18090"], [], true],
    [["18000-18079"], [], false],
    [["18080-18090-1/tcp/x"], [], true],
    [["18081"], [], false],
    [["18081/udp"], [], true],
    [["9", "18081/udp"], [], true],
    [["18080/foo"], [], false],
    [["18080/"], [], true],
    [["0"], [], true],
    [[], ["80"], true],
    [[], ["82-95"], true],
    [[], ["80-82/udp"], true],
    [[], ["18080"], false],
    [["1"], ["90"], true],
  ];
  for (const [publish, expose, found] of cases) {
    it(`${found ? "find" : "do not find"} a port by ${JSON.stringify({ publish, expose })}`, () =>
      assert.equal(portFilter(publish, expose)?.(ports), found));
  }

  const refused: [value: string, reason: string][] = [
    ["x", 'error while looking up for publish x: strconv.ParseUint: parsing "x": invalid syntax'],
    ["80-", 'error while looking up for publish 80-: strconv.ParseUint: parsing "": invalid syntax'],
    ["70000", 'error while looking up for publish 70000: strconv.ParseUint: parsing "70000": value out of range'],
    ["81-80", "error while looking up for publish 81-80: Invalid range specified for the Port: 81-80"],
    ["", "error while looking up for publish : Empty string specified for ports."],
    ["/tcp", "error while looking up for publish /tcp: Empty string specified for ports."],
    ["80:80", "filter for 'publish' should not contain ':': 80:80"],
  ];
  for (const [value, message] of refused)
    it(`refuse ${JSON.stringify(value)}`, () => assert.throws(() => portFilter([value], []), { message }));

  it("are none without a value", () => assert.equal(portFilter([], []), undefined));
});
