import assert from "node:assert/strict";
import { unmarshal, unmarshalLong } from "./decode.ts";
import { parseJson, parseLongJson } from "./parse.ts";
import { command, empty, int64, map, struct, text } from "./shape.ts";

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

/** The longest time for which nobody else had a turn while something was done, in milliseconds of this thread's processor time. */
async function longestTurn(work: () => Promise<void>): Promise<number> {
  const used = (): number => process.threadCpuUsage().user / 1000;
  let longest = 0;
  let last = used();
  const look = (): void => {
    longest = Math.max(longest, used() - last);
    last = used();
  };
  const timer = setInterval(look, 1);
  await work();
  clearInterval(timer);
  return longest;
}

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
    assert.throws(() => parseJson(`[${"1,".repeat(1_000_000)}1]`), { message: "more than 1000000 values" });
  });

  it("has a bound for each list and map, also one that is named again and again", () => {
    const labels = struct("x.X", { Labels: map(text), Few: map(text, undefined, 3) });
    const members = (count: number): string => Array.from({ length: count }, (_, i) => `"${i}":""`).join(",");
    const read = (json: string): unknown => unmarshal(labels, parseJson(json).value);
    assert.deepEqual(read(`{"Few":{${members(2)}},"few":{"x":""}}`), { Few: { 0: "", 1: "", x: "" } });
    assert.throws(() => read(`{"Few":{${members(4)}}}`), { message: "more than 3 members in X.Few" });
    assert.throws(() => read(`{"Few":{${members(2)}},"few":{${members(2)}}}`), {
      message: "more than 3 members in X.few",
    });
    assert.throws(() => read(`{"Labels":{${members(10_001)}}}`), { message: "more than 10000 members in X.Labels" });
    assert.throws(() => unmarshal(command, parseJson(`[${'"",'.repeat(200_000)}""]`).value), {
      message: "more than 200000 elements",
    });
    assert.throws(() => unmarshal(int64, parseJson("9".repeat(1_000_000)).value), /cannot unmarshal number 9+ into/);
  });

  it("reads strings of a million escapes in slices", async () => {
    const longest = await longestTurn(async () => {
      const { value } = await parseLongJson(`["${"\\u00e9\\n".repeat(500_000)}"]`);
      assert.equal((value as string[])[0], "\u00e9\n".repeat(500_000));
    });
    assert.ok(longest < 500, `${longest} ms`);
  });

  it("leaves others their turn while a long text is read, and while it is decoded", async () => {
    const json = `{${Array.from({ length: 150_000 }, (_, index) => `"${index}":{}`).join(",")}}`;
    const longest = await longestTurn(async () => {
      const decoded = await unmarshalLong(map(empty, undefined, 150_000), (await parseLongJson(json)).value);
      assert.equal(Object.keys(decoded as object).length, 150_000);
    });
    assert.ok(longest < 500, `${longest} ms`);
  });
});
