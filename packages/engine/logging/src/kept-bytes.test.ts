import assert from "node:assert/strict";
import { bytesOf, textOf } from "./kept-bytes.ts";

describe("bytes that are no UTF-8", () => {
  it("come back from a record's text", () => {
    const cases = [
      "",
      "plain\n",
      "é😀\u{1f480}\n",
      "\xff\xfe",
      "a\x80b",
      "\xc3",
      "\xe2\x82",
      "\xf0\x9f\x98",
      "\xed\xa0\x80",
      "\xc0\xaf",
      "\xf5\x80\x80\x80",
    ];
    for (const bytes of cases.map((text, i) => Buffer.from(text, i < 3 ? "utf8" : "latin1"))) {
      const text = textOf(bytes);
      assert.deepEqual(bytesOf(text), bytes, JSON.stringify(text));
      assert.deepEqual(bytesOf(JSON.parse(JSON.stringify(text)) as string), bytes);
    }
    const random = Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7919 + (i >> 3) * 31) & 0xff));
    assert.deepEqual(bytesOf(textOf(random)), random);
  });
});
