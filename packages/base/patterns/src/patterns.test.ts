import assert from "node:assert/strict";
import { fuzz } from "@longshore/fuzz";
import { compilePathMatch, compileRegExp, PatternTooLarge, RegExpSet } from "./index.ts";

function ms(work: () => unknown): number {
  const began = process.cpuUsage();
  work();
  return process.cpuUsage(began).user / 1000;
}

describe("regular expressions of clients", () => {
  it("take no longer than their text, whatever they are", () => {
    compileRegExp("warm+").test("warm");
    for (const pattern of ["^(a+)+$", "(a|aa)+$", "(a|a?)+$", "(.*a){20}$", "([a-z]+)*=", "(?:a?){30}a{30}$"]) {
      const took = ms(() => compileRegExp(pattern).test(`${"a".repeat(1000)}!`));
      assert.ok(took < 1000, `${pattern} took ${took} ms`);
    }
  });

  it("are refused where a small text asks for a large program", () => {
    for (const pattern of [
      `(?:${"a?".repeat(1000)}){1000}`,
      "((a{100}){100}){10}",
      "x".repeat(4000).replaceAll("x", "x+?"),
      "[ab]".repeat(3000),
      "((((a{10}){10}){10}){10}){10}",
      `(?:${"\\pL".repeat(100)}){1000}`,
    ]) {
      assert.ok(ms(() => assert.throws(() => compileRegExp(pattern), PatternTooLarge, pattern.slice(0, 40))) < 500);
    }
    compileRegExp("^(?:web|db|cache)-[0-9]{1,3}(?:\\.[a-z]{2,63}){0,4}$");
    compileRegExp(`^(?:${Array.from({ length: 60 }, (_, at) => at.toString(16).padStart(64, "0")).join("|")})$`);
  });

  it("are bounded together: each value of a filter is one", () => {
    assert.throws(() => new RegExpSet(Array.from({ length: 300 }, (_, at) => `a+${at}`)), PatternTooLarge);
    const many = new RegExpSet([...Array.from({ length: 5000 }, (_, at) => `name-${at}`), "^x.z$"]);
    assert.deepEqual([many.test("my-name-17"), many.test("xyz"), many.test("xyza")], [true, true, false]);
    assert.equal(new RegExpSet(["(", "b"]).test("abc"), true);
  });

  it("plain text is found without a program, anchored or not", () => {
    const cases: [pattern: string, text: string, found: boolean][] = [
      ["b", "abc", true],
      ["^b", "abc", false],
      ["^ab", "abc", true],
      ["bc$", "abc", true],
      ["^abc$", "abc", true],
      ["^ab$", "abc", false],
      ["", "x", true],
      ["^$", "", true],
      ["^$", "x", false],
    ];
    for (const [pattern, text, found] of cases)
      assert.equal(compileRegExp(pattern).test(text), found, `${pattern} in ${text}`);
  });

  // Recorded from Docker 28.5.
  const refused: [pattern: string, words: string][] = [
    ["[a", "missing closing ]: `[a`"],
    ["(a", "missing closing ): `(a`"],
    ["a)", "unexpected ): `a)`"],
    ["\\", "trailing backslash at end of expression: ``"],
    ["*a", "missing argument to repetition operator: `*`"],
    ["a**", "invalid nested repetition operator: `**`"],
    ["a{2,1}", "invalid repeat count: `{2,1}`"],
    ["(?=a)", "invalid or unsupported Perl syntax: `(?=`"],
    ["(?<=a)", "invalid named capture: `(?<=a)`"],
    ["\\8", "invalid escape sequence: `\\8`"],
    ["[[:foo:]]", "invalid character class range: `[:foo:]`"],
  ];
  for (const [pattern, words] of refused)
    it(`refuses ${pattern} in Go's words`, () =>
      assert.throws(() => compileRegExp(pattern), { message: `error parsing regexp: ${words}` }));
});

describe("shell patterns of clients", () => {
  const matches = (pattern: string, text: string): boolean => compilePathMatch(pattern)?.test(text) ?? false;

  // Go's own cases for path.Match.
  const cases: [pattern: string, text: string, found: boolean][] = [
    ["abc", "abc", true],
    ["*", "abc", true],
    ["*c", "abc", true],
    ["a*", "a", true],
    ["a*", "abc", true],
    ["a*", "ab/c", false],
    ["a*/b", "abc/b", true],
    ["a*/b", "a/c/b", false],
    ["a*b*c*d*e*/f", "axbxcxdxe/f", true],
    ["a*b*c*d*e*/f", "axbxcxdxexxx/f", true],
    ["a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false],
    ["a*b*c*d*e*/f", "axbxcxdxexxx/fff", false],
    ["a*b?c*x", "abxbbxdbxebxczzx", true],
    ["a*b?c*x", "abxbbxdbxebxczzy", false],
    ["ab[c]", "abc", true],
    ["ab[b-d]", "abc", true],
    ["ab[e-g]", "abc", false],
    ["ab[^c]", "abc", false],
    ["ab[^e-g]", "abc", true],
    ["a\\*b", "a*b", true],
    ["a\\*b", "ab", false],
    ["a?b", "a☺b", true],
    ["a[^a]b", "a☺b", true],
    ["a???b", "a☺b", false],
    ["[a-ζ]*", "α", true],
    ["*[a-ζ]", "A", false],
    ["a?b", "a/b", false],
    ["a*b", "a/b", false],
    ["[\\]a]", "]", true],
    ["[\\-]", "-", true],
    ["[x\\-]", "x", true],
    ["[]a]", "]", false],
    ["[-]", "-", false],
    ["[x-]", "x", false],
    ["[a-b-c]", "a", false],
    ["[", "a", false],
    ["[^", "a", false],
    ["a[", "a", false],
    ["*x", "xxx", true],
    ["a.c", "abc", false],
    ["\\", "a", false],
  ];
  for (const [pattern, text, found] of cases)
    it(`${pattern} ${found ? "matches" : "does not match"} ${text}`, () => assert.equal(matches(pattern, text), found));

  it("go back once, however many stars there are", () => {
    assert.ok(ms(() => matches(`${"*a".repeat(500)}b`, "a".repeat(5000))) < 2000);
  });

  it("find what trying all ways finds", async () => {
    const tried = (pattern: string, text: string): boolean => {
      if (pattern === "") return text === "";
      if (pattern.startsWith("*"))
        return tried(pattern.slice(1), text) || (text !== "" && !text.startsWith("/") && tried(pattern, text.slice(1)));
      return (
        text !== "" &&
        (pattern[0] === "?" ? text[0] !== "/" : pattern[0] === text[0]) &&
        tried(pattern.slice(1), text.slice(1))
      );
    };
    await fuzz(3000, (random) => {
      const of = (letters: [string, ...string[]], most: number): string =>
        Array.from({ length: random.int(0, most) }, () => random.pick(letters)).join("");
      const [pattern, text] = [of(["a", "b", "*", "*", "?", "/"], 8), of(["a", "a", "b", "/"], 10)];
      assert.equal(matches(pattern, text), tried(pattern, text), `${pattern} and ${text}`);
    });
  });
});
