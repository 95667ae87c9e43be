import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { JsonError, parseJson, parsePlain } from "@longshore/go-json";

/** Bytes before the first one that is not UTF-8. */
function validBytes(bytes: Uint8Array): number {
  let [low, high] = [0, bytes.length];
  const isValid = (end: number): boolean => {
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, end), { stream: true });
      return true;
    } catch {
      return false;
    }
  };
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (isValid(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** A file's text: UTF-8, or what its byte order mark says, which editors of Windows write. @throws InvalidArgument with dockerd's text */
export function decodeText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new InvalidArgument(
      `failed to decode configuration JSON at offset ${validBytes(bytes)}: encoding: invalid UTF-8`,
      { cause: error },
    );
  }
}

/** What is wrong with a text that is not JSON, in Go's words. */
function syntaxError(text: string): string | undefined {
  try {
    parseJson(text);
  } catch (error) {
    if (error instanceof JsonError)
      return error.message === "unexpected EOF" ? "unexpected end of JSON input" : error.message;
    throw error;
  }
  // A value that others follow.
  return undefined;
}

/** The object of a configuration's text; empty text and `null` are one without members. @throws InvalidArgument */
export function parseObject(text: string): Record<string, unknown> {
  if (text.trim() === "") return {};
  let parsed: unknown;
  try {
    parsed = parsePlain(text);
  } catch (error) {
    throw new InvalidArgument(`invalid JSON: ${syntaxError(text) ?? messageOf(error)}`, { cause: error });
  }
  if (parsed === null) return {};
  if (typeof parsed === "object" && !Array.isArray(parsed)) return parsed as Record<string, unknown>;
  const kind = Array.isArray(parsed) ? "array" : typeof parsed === "boolean" ? "bool" : typeof parsed;
  throw new InvalidArgument(
    `invalid JSON: json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`,
  );
}
