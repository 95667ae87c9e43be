import { mismatch, type Path } from "./mismatch.ts";
import type { IntShape, ScalarShape } from "./shape.ts";
import { JsonNumber } from "./value.ts";

/** More digits than any integer of Go has: longer ones are not worth reading. */
const mostDigits = 20;

/** @throws InvalidArgument with the text of Go's JSON decoder */
export function scalar(shape: ScalarShape | IntShape, value: unknown, path: Path): unknown {
  if (shape.kind === "int") return integer(shape, value, path);
  if (typeof value !== (shape.kind === "bool" ? "boolean" : shape.kind)) throw mismatch(value, shape, path);
  return value;
}

/** What Go's integers hold: a duration is an `int64`. */
function holds(go: string, value: bigint): boolean {
  const [, unsigned, bits = "64"] = /^(u?)int(\d*)$/.exec(go) ?? ["", "", "64"];
  const size = Number(bits || "64");
  return (unsigned === "u" ? BigInt.asUintN(size, value) : BigInt.asIntN(size, value)) === value;
}

function integer(shape: IntShape, value: unknown, path: Path): number | bigint {
  const text = value instanceof JsonNumber ? value.text : undefined;
  const whole =
    text === undefined
      ? Number.isInteger(value)
      : text.length <= mostDigits + 1 && /^-?\d+$/.test(text) && (text !== "-0" || !shape.go.startsWith("u"));
  if (!whole || !holds(shape.as ?? shape.go, BigInt(text ?? (value as number)))) throw mismatch(value, shape, path);
  if (shape.exact === true && text !== undefined && !Number.isSafeInteger(Number(text))) return BigInt(text);
  return text === undefined ? (value as number) : Number(text) + 0;
}
