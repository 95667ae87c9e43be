import { parsePlain } from "@longshore/go-json";
import type { Process, Spec } from "./runtime.ts";

interface RawJSON {
  rawJSON(text: string): unknown;
}

/** Largest unsigned 64-bit number: RLIM_INFINITY, and what a limit of -1 becomes. */
export const maxUint64 = 18_446_744_073_709_551_615n;

function writeBigint(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? (JSON as unknown as RawJSON).rawJSON(value.toString()) : value;
}

function readBigint(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  return typeof value === "number" && !Number.isSafeInteger(value) && source !== undefined && /^-?\d+$/.test(source)
    ? BigInt(source)
    : value;
}

/** JSON of a spec, process or part of one; 64-bit numbers held as bigint are written in full. */
export function marshalRuntime(value: Spec | Process | object): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value, writeBigint));
}

/**
 * Parses a spec (or part of one): integers that a double cannot hold become bigints, so that
 * writing the result again loses nothing.
 * @throws SyntaxError
 */
export function unmarshalRuntime<T = Spec>(json: Uint8Array | string): T {
  const text = typeof json === "string" ? json : new TextDecoder().decode(json);
  return parsePlain(text, readBigint) as T;
}
