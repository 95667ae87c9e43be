import assert from "node:assert/strict";
import { parseJson, parseLongJson } from "./parse.ts";
import type { JsonObject } from "./value.ts";

/** Broken texts and what the real engine says of each. */
const broken: [text: string, message: string][] = [
  ['"\\', "unexpected EOF"],
  ['{"a":"\\', "unexpected EOF"],
  ['{"a":"\\u', "unexpected EOF"],
  ['{"a":"\\u1', "unexpected EOF"],
  ['{"a":"\\u1"}', 'invalid escape sequence `\\u1"}` in string'],
  ['{"a":"\\u12"}', 'invalid escape sequence `\\u12"}` in string'],
  ['{"a":"\\u123"}', 'invalid escape sequence `\\u123"` in string'],
  ['{"a":"\\\u00e9"}', 'invalid escape sequence "\\\\\\xc3" in string'],
  ['{"a":"\\`"}', 'invalid escape sequence "\\\\`" in string'],
  ['{"a":"\\ "}', 'invalid escape sequence "\\\\ " in string'],
  ['{"a":"\\\n"}', 'invalid escape sequence "\\\\\\n" in string'],
  ['{"a":"\\u12`4"}', 'invalid escape sequence "\\\\u12`4" in string'],
  ['{"a":"\\uzz\u00e9"}', "invalid escape sequence `\\uzz\u00e9` in string"],
  ['{"a":"\\U0041"}', "invalid escape sequence `\\U` in string"],
  ["\ufeff{}", "invalid character '\\ufeff' looking for beginning of value"],
  ["\u00a0{}", "invalid character '\\u00a0' looking for beginning of value"],
  ["{\u00a0}", "invalid character '\\u00a0' looking for beginning of object key string"],
  ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
  ["{\"a\":'x'}", "invalid character '\\'' looking for beginning of value"],
  ['{"a":\\}', "invalid character '\\\\' looking for beginning of value"],
  ['{"a":\u007f}', "invalid character '\\x7f' looking for beginning of value"],
  ['{"a":\u2028}', "invalid character '\\u2028' looking for beginning of value"],
  ['{"a":\ud83d\ude00}', "invalid character '\ud83d\ude00' looking for beginning of value"],
  ['{"a":T}', "invalid character 'T' looking for beginning of value"],
  ['{"a":nulL}', "invalid character 'L' in literal null (expecting 'l')"],
  ['{"a":tr', "unexpected EOF"],
  ['{"a":fa1se}', "invalid character '1' in literal false (expecting 'l')"],
  ['{"a":falsey}', "invalid character 'y' after object key:value pair"],
  ['{"a":nullx}', "invalid character 'x' after object key:value pair"],
  ['{"a":-', "unexpected EOF"],
  ['{"a":-a}', "invalid character 'a' in numeric literal"],
  ['{"a":+1}', "invalid character '+' looking for beginning of value"],
  ['{"a":.5}', "invalid character '.' looking for beginning of value"],
  ['{"a":0x1}', "invalid character 'x' after object key:value pair"],
  ['{"a":1.e1}', "invalid character 'e' in numeric literal"],
  ['{"a":1e+}', "invalid character '}' in numeric literal"],
  ['{"a":1e+1', "unexpected EOF"],
  ['{"a":00}', "invalid character '0' after object key:value pair"],
  ['{"a":-01}', "invalid character '1' after object key:value pair"],
  ['{"a":NaN}', "invalid character 'N' looking for beginning of value"],
  ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
  ['{"a"}', "invalid character '}' after object key"],
  ['{"a",}', "invalid character ',' after object key"],
  ['{"a":1,,}', "invalid character ',' looking for beginning of object key string"],
  ['{"a"::1}', "invalid character ':' looking for beginning of value"],
  ["[", "unexpected EOF"],
  ["[1", "unexpected EOF"],
  ["[1,", "unexpected EOF"],
  ["[,", "invalid character ',' looking for beginning of value"],
  ["[}", "invalid character '}' looking for beginning of value"],
  ["{]", "invalid character ']' looking for beginning of object key string"],
  ['{"a":[}', "invalid character '}' looking for beginning of value"],
  ['{"a":{]', "invalid character ']' looking for beginning of object key string"],
  ['{"a":1]', "invalid character ']' after object key:value pair"],
  ['["a":1]', "invalid character ':' after array element"],
  ['{"a":"\t"}', "invalid character '\\t' in string"],
  ['{"a":"b\u0000c"}', "invalid character '\\x00' in string"],
  ["/* */{}", "invalid character '/' looking for beginning of value"],
  ["\u000b{}", "invalid character '\\v' looking for beginning of value"],
  ["\f{}", "invalid character '\\f' looking for beginning of value"],
];

/** What the real engine takes, though it may look wrong. */
const accepted = [
  "{}]x",
  "{}}x",
  '{"a":"\\uD800"}',
  '{"a":"\\uD800\\u0041"}',
  '{"a":"\u007f"}',
  '{"a":1}\n\n',
  "\n\t {}",
  '{"Memory":-0}',
  '{"Memory":9223372036854775807}',
  '{"Memory":null}',
];

describe("the syntax of JSON", () => {
  it("is judged in the words of Docker's decoder", () => {
    for (const [text, message] of broken) assert.throws(() => parseJson(text), { message }, text);
  });

  it("is what Docker's decoder takes", () => {
    for (const text of accepted) assert.equal(parseJson(text).more, false, text);
  });

  it("is told of at each position where a text is cut off or goes wrong", () => {
    const text = '{"a": [1, -2.5e+3, "x\\u00e9\\n", true, null, {"b": {}}], "c": false}';
    for (let at = 0; at < text.length; at++) {
      assert.throws(() => parseJson(text.slice(0, at)), { message: "unexpected EOF" }, text.slice(0, at));
      assert.throws(
        () => parseJson(`${text.slice(0, at)}\u0001${text.slice(at)}`),
        /^Error: invalid (?:character|escape sequence) /,
        String(at),
      );
    }
  });

  it("has a bound for its depth and its number of values", () => {
    assert.throws(() => parseJson("[".repeat(10_001)), { message: "exceeded max depth" });
    assert.equal(parseJson("[".repeat(10_000) + "]".repeat(10_000)).more, false);
    assert.throws(() => parseJson(`[${"1,".repeat(300_000)}1]`), { message: "more than 200000 values" });
  });

  it("leaves others their turn while a long text is read", async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const reading = parseLongJson(
      `{${Array.from({ length: 150_000 }, (_, index) => `"${index}":${index}`).join(",")}}`,
    );
    const { value } = await reading;
    clearInterval(timer);
    assert.ok(turns > 3, `${turns} turns`);
    assert.equal((value as JsonObject).members.length, 150_000);
  });
});
