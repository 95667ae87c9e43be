import assert from "node:assert/strict";
import { isKind } from "@longshore/errdefs";
import { fuzz, type Random } from "@longshore/fuzz";
import { parseJson, type Shape, unmarshal } from "@longshore/go-json";
import {
  configBody,
  createBody,
  execBody,
  execStartBody,
  portsBody,
} from "../../routes/containers/container-shapes.ts";
import { updateShape } from "@longshore/docker-api";

const scalars = [
  null,
  true,
  false,
  0,
  1,
  -1,
  1.5,
  1e300,
  2 ** 53,
  65_536,
  "",
  "x",
  "80/tcp",
  "__proto__",
  [],
  {},
  [null],
  { a: null },
  [[]],
  { "": "" },
] as const;
const keys = ["", "__proto__", "constructor", "a", "80/tcp", "5", "\u00e9"] as const;

function spelled(random: Random, name: string): string {
  return random.pick([name, name, name.toLowerCase(), name.toUpperCase()]);
}

/** A text that a shape may take, with something wrong now and then. */
function bodyOf(random: Random, shape: Shape, depth = 0): string {
  if (random.chance(0.05)) return JSON.stringify(random.pick(scalars));
  const some = (make: () => string): string => Array.from({ length: random.int(0, 3) }, make).join(",");
  switch (shape.kind) {
    case "string":
      return JSON.stringify(random.pick(["", "x", "linux", "\ud800", "y".repeat(1000)]));
    case "bool":
      return random.pick(["true", "false"]);
    case "int":
      return random.pick(["0", "1", "-1", "-0", "9223372036854775807", "9223372036854775808", "1e3", "1.0", "65536"]);
    case "list":
      return `[${some(() => bodyOf(random, shape.element, depth + 1))}]`;
    case "map":
      return `{${some(() => `${JSON.stringify(random.pick(keys))}:${bodyOf(random, shape.element, depth + 1)}`)}}`;
    case "own":
      return JSON.stringify(random.pick(scalars));
    case "struct": {
      const fields = Object.entries(shape.fields) as [[string, Shape], ...[string, Shape][]];
      if (fields.length === 0) return "{}";
      return `{${some(() => {
        const [name, field] = random.pick(fields);
        return `${JSON.stringify(spelled(random, name))}:${bodyOf(random, field, depth + 1)}`;
      })}}`;
    }
  }
}

/** Whether a value has its shape, so that who uses it need not look. */
function fits(shape: Shape, value: unknown): boolean {
  if (value === undefined || value === null) return true;
  switch (shape.kind) {
    case "string":
      return typeof value === "string" && value.isWellFormed();
    case "bool":
      return typeof value === "boolean";
    case "int":
      return typeof value === "number" && Number.isInteger(value) && Math.abs(value) <= 2 ** 64;
    case "list":
      return (
        Array.isArray(value) &&
        value.every((element) => fits(shape.element, element)) &&
        (shape.length === undefined || value.length === shape.length)
      );
    case "map":
      return (
        Object.getPrototypeOf(value) === Object.prototype &&
        Object.values(value).every((member) => fits(shape.element, member))
      );
    case "own":
      return true;
    case "struct":
      return (
        Object.getPrototypeOf(value) === Object.prototype &&
        Object.entries(value).every(
          ([name, member]) => Object.hasOwn(shape.fields, name) && fits(shape.fields[name] ?? assert.fail(), member),
        )
      );
  }
}

describe("bodies of any kind", () => {
  it("have the shape that their route expects, or are refused in words", async function () {
    this.timeout(0);
    const seen = { taken: 0, refused: 0 };
    await fuzz(4000, (random) => {
      const shape = random.pick<Shape>([createBody, updateShape, configBody, execBody, execStartBody, portsBody]);
      const text = bodyOf(random, shape);
      try {
        assert.ok(fits(shape, unmarshal(shape, parseJson(text).value)), text);
        seen.taken++;
      } catch (error) {
        if (!isKind(error, "InvalidArgument")) throw error;
        assert.match(
          (error as Error).message,
          /^json: cannot unmarshal (?:number|string|bool|array|object).* into .+ of type .+$/su,
          text,
        );
        seen.refused++;
      }
    });
    assert.ok(seen.taken > 0 && seen.refused > 0);
  });
});
