import assert from "node:assert/strict";
import { fuzz } from "@longshore/fuzz";
import { Expander, expand } from "./expand.ts";
import { WordError } from "./word-error.ts";

const variables: Record<string, string> = {
  A: "1",
  EMPTY: "",
  PATHS: "usr/local/lib/x.tar.gz",
  SPACES: " a  b ",
  STAR: "a*b",
};
const environment = (name: string): string | undefined => variables[name];

describe("words of a Dockerfile", () => {
  /** As the front end of BuildKit 0.25 expands them. */
  const expanded: [word: string, text: string][] = [
    ["plain", "plain"],
    ["$A${A}$EMPTY.$UNSET", "11."],
    ["'$A'\"$A\"\\$A", "$A1$A"],
    ["${A:-x}${EMPTY:-x}${EMPTY-x}${UNSET-x}", "1xx"],
    ["${A:+x}${EMPTY:+x}${EMPTY+x}${UNSET+x}", "xx"],
    ["${UNSET:-${A}${EMPTY:-'b c'}}", "1b c"],
    [
      "${PATHS#*/}|${PATHS##*/}|${PATHS%.*}|${PATHS%%.*}",
      "local/lib/x.tar.gz|x.tar.gz|usr/local/lib/x.tar|usr/local/lib/x",
    ],
    ["${STAR#a\\*}|${STAR%\\*b}|${STAR#a\\?}", "b|a|a*b"],
    [
      "${PATHS/l?/X}|${PATHS//l?/X}|${PATHS//\\//-}",
      "usr/Xcal/lib/x.tar.gz|usr/XcaXXb/x.tar.gz|usr-local-lib-x.tar.gz",
    ],
    ["${A/*/x}|${EMPTY/*/x}|${A//*/x}", "x|x|x"],
    ["$1$x$$.${A}x", ".1x"],
    ["a\\", "a"],
    ["<<EOF", "<<EOF"],
  ];
  for (const [word, text] of expanded) {
    it(`expands ${word}`, () => assert.equal(expand(word, environment, { escape: "\\" }).text, text));
  }

  const refused: [word: string, message: string][] = [
    ["${A", "unsupported modifier (\uFFFD) in substitution"],
    ["${", "syntax error: missing '}'"],
    ["${{A}}", "syntax error: bad substitution"],
    ["${A:-", "syntax error: missing '}'"],
    ["${A:#b}", "unsupported modifier (:#) in substitution"],
    ["${A/b}", "syntax error: missing '/' in ${}"],
    ["${UNSET:?is $A}", "UNSET: is 1"],
    ["${EMPTY:?}", "EMPTY: is not allowed to be empty"],
    ["'a", "unexpected end of statement while looking for matching single-quote"],
    ["${A:-'}", "syntax error: missing '}'"],
    [`${"${A:-".repeat(300)}x${"}".repeat(300)}`, "substitutions are nested too deeply"],
  ];
  for (const [word, message] of refused) {
    it(`refuses ${word.slice(0, 30)}`, () =>
      assert.throws(
        () => expand(word, environment, { escape: "\\" }),
        (error: Error) => {
          assert.ok(error instanceof WordError && error.message.endsWith(`: ${message}`), error.message);
          return true;
        },
      ));
  }

  it("splits at spaces outside of quotes, those of values too", () => {
    const words = (word: string): string[] => expand(word, environment, { escape: "\\" }).words;
    assert.deepEqual(words("x$SPACES'y z' \"$SPACES\" '' \\ q"), ["x", "a", "b", "y z", " a  b ", " q"]);
    assert.deepEqual(words("$EMPTY $UNSET ''"), []);
    assert.deepEqual(words("a${UNSET:-b c}d"), ["ab", "cd"]);
  });

  it("tells which variables were there and which not", () => {
    const { matched, unmatched } = expand("$A ${UNSET:-$EMPTY} ${B+x}", environment, { escape: "\\" });
    assert.deepEqual(
      [[...matched].toSorted(), [...unmatched].toSorted()],
      [
        ["A", "EMPTY"],
        ["B", "UNSET"],
      ],
    );
  });

  it("takes a backtick as escape, and leaves unset variables where asked", () => {
    assert.equal(expand("a`$A\\b", environment, { escape: "`" }).text, "a$A\\b");
    const word = "$UNSET ${UNSET} ${UNSET:-x} ${UNSET#y} ${UNSET/a/b} $A";
    const options = { escape: "\\", keepUnset: true };
    assert.equal(expand(word, environment, options).text, "$UNSET ${UNSET} ${UNSET:-x} ${UNSET#y} ${UNSET/a/b} 1");
  });

  it("bounds what the words of one file may become", () => {
    const expander = new Expander({ escape: "\\" }, 1000);
    const value = "x".repeat(400);
    assert.equal(expander.expand("$V", () => value).text, value);
    assert.equal(expander.expand("$V", () => value).text, value);
    assert.throws(() => expander.expand("$V", () => value), /expand to too much/);
  });

  it("answers any word, in its own words", () =>
    fuzz(5000, (random) => {
      const alphabet = ["A", ..."$${}{}:-+?#%/\\'\"<<ab_1 *?", "PATHS"] as const;
      const word = Array.from({ length: random.int(0, 14) }, () => random.pick(alphabet)).join("");
      try {
        expand(word, environment, { escape: "\\", rawEscapes: random.chance(0.5), rawQuotes: random.chance(0.5) });
      } catch (error) {
        assert.ok(error instanceof WordError, `${word}: ${String(error)}`);
      }
    }));
});
