import assert from "node:assert/strict";
import { fuzz, type Random } from "@longshore/fuzz";
import { JsonError } from "./json-error.ts";
import { parseJson, parseLongJson } from "./parse.ts";
import { type Json, JsonNumber, JsonObject } from "./value.ts";

const strings = [
  "",
  "a",
  "Image",
  "__proto__",
  "constructor",
  "\u00e9",
  "\ud83d\ude00",
  "\ud800",
  '"',
  "\\",
  "\n",
  "\u0000",
  "5",
  "x".repeat(100),
] as const;
/** Without a backslash: V8's parser mistakes a name of one escape for another of the same length that it has seen before. */
const names = ["", "a", "Image", "__proto__", "constructor", "\u00e9", '"', "5", "x".repeat(100)] as const;
const numbers = [
  "0",
  "-0",
  "1",
  "-1",
  "1.5",
  "1e3",
  "1E+400",
  "-2.5e-3",
  "99999999999999999999",
  "9007199254740993",
] as const;
const breaks = [
  "",
  '"',
  "\\",
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  "0",
  "-",
  ".",
  "e",
  "t",
  "nul",
  "\\u12",
  " ",
  "\u0001",
  "\u00a0",
  "/",
  "'",
] as const;

function randomText(random: Random, depth = 0): string {
  const kind = random.int(0, depth > 4 ? 3 : 5);
  const gap = random.pick(["", "", "", " ", "\n\t"]);
  if (kind === 0) return random.pick(["null", "true", "false"]);
  if (kind === 1) return random.pick(numbers);
  if (kind <= 3) return JSON.stringify(random.pick(strings));
  const parts = Array.from(
    { length: random.int(0, 4) },
    () => (kind === 4 ? "" : `${JSON.stringify(random.pick(names))}${gap}:`) + gap + randomText(random, depth + 1),
  );
  return kind === 4 ? `[${parts.join(`${gap},`)}${gap}]` : `{${gap}${parts.join(",")}${gap}}`;
}

/** The same as JavaScript's own parser gives it. */
function plain(value: Json): unknown {
  if (value instanceof JsonNumber) return Number(value.text);
  if (Array.isArray(value)) return value.map(plain);
  if (!(value instanceof JsonObject)) return value;
  const out: Record<string, unknown> = {};
  for (const [name, member] of value)
    Object.defineProperty(out, name, { value: plain(member), enumerable: true, writable: true, configurable: true });
  return out;
}

function wellFormed(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name.toWellFormed(), wellFormed(member)]));
}

describe("JSON of any kind", () => {
  it("is taken or refused as by JavaScript's parser, with the same values", async function () {
    this.timeout(0);
    let taken = 0;
    await fuzz(3000, async (random) => {
      const whole = randomText(random);
      const at = random.int(0, whole.length);
      const text = random.chance(0.5)
        ? whole
        : whole.slice(0, at) + random.pick(breaks) + whole.slice(at + random.int(0, 2));
      let expected: unknown;
      try {
        expected = JSON.parse(text);
      } catch {
        // Only the first value counts, what follows it is told of.
        try {
          assert.equal(plainTail(text), true, text);
        } catch (error) {
          if (!(error instanceof JsonError)) throw error;
          assert.match(error.message, /^(?:unexpected EOF|invalid (?:character|escape sequence) .+)$/su, text);
        }
        return;
      }
      taken++;
      const { value, more } = await parseLongJson(text);
      assert.deepEqual([plain(value), more], [wellFormed(expected), false], text);
    });
    assert.ok(taken > 0);
  });
});

/** Whether a value that is none as a whole is one with something behind it. @throws JsonError when not */
function plainTail(text: string): boolean {
  const { more } = parseJson(text);
  return more || /[\]}][^]*$/.test(text);
}
