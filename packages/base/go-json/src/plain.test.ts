import assert from "node:assert/strict";
import { fuzz } from "@longshore/fuzz";
import { parsePlain } from "./plain.ts";

describe("names of members", () => {
  const escaped = ["\\\\", "\\n", "\\t", '\\"', "\\/", "\\u0041", "x\\\\", "x\\n", "x\\t", "a", "x"];
  const meaning = (name: string): string => {
    const [text] = JSON.parse(`["${name}"]`) as [string];
    return text;
  };

  it("are what is written, whatever stood in their place before", () => {
    for (const first of escaped) {
      for (const next of escaped) {
        const at = `${escaped.indexOf(first)}-${escaped.indexOf(next)}`;
        for (const name of [first, first, next])
          assert.deepEqual(
            Object.keys(parsePlain(`{"${at}":1,"${name}":[{"${name}" : "\\""}]}`) as object),
            [at, meaning(name)],
            `${name} after ${first}`,
          );
      }
    }
  });

  it("and values are those of JSON.parse", async () => {
    await fuzz(2000, (random) => {
      const value = (depth: number): unknown => {
        if (depth > 3 || random.chance(0.4))
          return random.pick([
            null,
            true,
            0,
            -1.5,
            1e300,
            12345678901234,
            "",
            "x\\",
            'a"b',
            "\n:",
            "{",
            "\u00e9",
            "\udc80",
            "\ud83d\ude00",
          ]);
        const members = Array.from({ length: random.int(0, 3) }, () => value(depth + 1));
        return random.chance(0.5)
          ? members
          : Object.fromEntries(
              members.map((member) => [random.pick(["a", "__proto__", 'b"c', "d\\", "\n", "5"]), member]),
            );
      };
      const given = value(0);
      assert.deepEqual(parsePlain(JSON.stringify(given)), given);
      assert.deepEqual(parsePlain(JSON.stringify(given, undefined, 2)), given);
    });
  });

  it("come with their numbers as a reviver wants them", () => {
    const big = (_key: string, value: unknown, context?: { source?: string }): unknown =>
      typeof value === "number" ? BigInt(context?.source ?? "") : value;
    for (const name of ["a", "\\n"])
      assert.deepEqual(parsePlain(`{"${name}":[18446744073709551615,1]}`, big), {
        [meaning(name)]: [18446744073709551615n, 1n],
      });
  });

  it("are told to be broken", () => {
    for (const broken of ["", "{", '{"a\\n":}', '{"\\n":1}x', '"\\', '{"\\q":1}'])
      assert.throws(() => parsePlain(broken), broken);
  });
});
