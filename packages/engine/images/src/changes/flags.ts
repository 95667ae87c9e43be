import { InvalidArgument } from "@longshore/errdefs";
import type { Instruction } from "./parse.ts";

/**
 * The values of an instruction's flags, each of which takes one.
 * @throws InvalidArgument in Docker's words
 */
export function flagValues({ flags }: Instruction, known: readonly string[]): Map<string, string> {
  const values = new Map<string, string>();
  for (const flag of flags) {
    const [name = ""] = flag.split("=", 1);
    const key = name.slice(2);
    if (!known.includes(key)) throw new InvalidArgument(`unknown flag: ${name}`);
    if (values.has(key)) throw new InvalidArgument(`duplicate flag specified: ${name}`);
    if (name === flag) throw new InvalidArgument(`missing a value on flag: ${name}`);
    values.set(key, flag.slice(name.length + 1));
  }
  return values;
}

/** @throws InvalidArgument `unknown flag: --x`, for an instruction that has none */
export function refuseFlags(instruction: Instruction): void {
  flagValues(instruction, []);
}
