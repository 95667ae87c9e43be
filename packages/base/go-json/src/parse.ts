import { setImmediate } from "node:timers/promises";
import { invalidCharacter, JsonError } from "./json-error.ts";
import { JsonReader } from "./reader.ts";
import type { Json } from "./value.ts";

/** Texts up to this many characters are read in one go. */
const smallText = 64 << 10;

/** What is read of a large one before others have their turn: some milliseconds' work. */
const piecesPerTurn = 5000;

/** A value, and whether anything but spaces follows it that Docker takes notice of. */
export interface Parsed {
  value: Json;
  more: boolean;
}

function result(text: string, reader: JsonReader): Parsed {
  const rest = /[^ \t\r\n]/g;
  rest.lastIndex = reader.end;
  const next = rest.exec(text)?.[0];
  // Docker's decoder takes these for the end of something that it is within.
  return { value: reader.result, more: next !== undefined && next !== "]" && next !== "}" };
}

/** Whether a text holds nothing to read. */
export function isBlank(text: string): boolean {
  return /^[ \t\r\n]*$/.test(text);
}

/** Reads a short JSON text. @throws JsonError */
export function parseJson(text: string): Parsed {
  const reader = new JsonReader(text);
  reader.read(Number.POSITIVE_INFINITY);
  return result(text, reader);
}

/** Reads a JSON text of any length without holding up others. @throws JsonError */
export async function parseLongJson(text: string): Promise<Parsed> {
  if (text.length <= smallText) return parseJson(text);
  const reader = new JsonReader(text);
  while (!reader.read(piecesPerTurn)) await setImmediate();
  return result(text, reader);
}

/** Reads a text that is one value and nothing else, with the words of Go's `json.Unmarshal`. @param keepsHalves as of `JsonReader` @throws JsonError */
export function parseWhole(text: string, keepsHalves = false): Json {
  const reader = new JsonReader(text, keepsHalves);
  try {
    reader.read(Number.POSITIVE_INFINITY);
  } catch (error) {
    // What a stream might still bring, a whole text lacks.
    if (error instanceof JsonError && error.message === "unexpected EOF")
      throw new JsonError("unexpected end of JSON input", { cause: error });
    throw error;
  }
  const rest = /[^ \t\r\n]/g;
  rest.lastIndex = reader.end;
  const next = rest.exec(text);
  if (next !== null) throw invalidCharacter(text, next.index, "after top-level value");
  return reader.result;
}
