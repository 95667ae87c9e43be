import assert from "node:assert/strict";
import { fuzz } from "@longshore/fuzz";
import { parseQueryString } from "./query-string.ts";

describe("query strings", () => {
  it("that are broken are told of in Go's words, and lose what is broken only", () => {
    const cases: Record<string, [fault: string | undefined, kept: Record<string, string[]>]> = {
      "all=%zz": ['invalid URL escape "%zz"', {}],
      "all=%": ['invalid URL escape "%"', {}],
      "all=a%1": ['invalid URL escape "%1"', {}],
      "%zz=1&b=2": ['invalid URL escape "%zz"', { b: ["2"] }],
      "a=%z1&b=%y": ['invalid URL escape "%z1"', {}],
      "all=1;b=2": ["invalid semicolon separator in query", {}],
      "a=%zz&;&b=1": ["invalid semicolon separator in query", { b: ["1"] }],
      "a=%3B&a=b+c&&=x&d": [undefined, { a: [";", "b c"], "": ["x"], d: [""] }],
      "a=\u00e9%C3%A9%ff": [undefined, { a: ["\u00e9\u00e9\ufffd"] }],
      "__proto__=1": [undefined, JSON.parse('{"__proto__":["1"]}') as Record<string, string[]>],
    };
    for (const [query, [fault, kept]] of Object.entries(cases)) {
      const read = parseQueryString(query);
      assert.deepEqual([read.fault, [...read.parameters]], [fault, Object.entries(kept)], query);
    }
  });

  it("of any kind that are whole are read as by every parser of URLs", async function () {
    this.timeout(0);
    let whole = 0;
    await fuzz(3000, (random) => {
      // Without characters beyond ASCII: next to broken bytes Node's parser of URLs loses them.
      const query = Array.from({ length: random.int(0, 12) }, () =>
        random.pick(["a", "b", "=", "&", "%41", "%C3%A9", "%", "%4", "+", ";", "__proto__", "?", "#"]),
      ).join("");
      const { parameters, fault } = parseQueryString(query);
      if (query.includes(";") || /%(?![0-9A-Fa-f]{2})/.test(query)) return assert.notEqual(fault, undefined, query);
      whole++;
      assert.equal(fault, undefined, query);
      const expected = new URLSearchParams(`?${query}`);
      const names = [...new Set(expected.keys())];
      assert.deepEqual(
        [...parameters],
        names.map((name) => [name, expected.getAll(name)]),
        query,
      );
    });
    assert.ok(whole > 0);
  });
});
