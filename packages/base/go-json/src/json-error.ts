import { quoteBytes, quoteCharacter } from "@longshore/go-values";

/** What is wrong with a JSON text, in the words of Docker's decoder; who reads it knows the status. */
export class JsonError extends Error {}

export function unexpectedEnd(): JsonError {
  return new JsonError("unexpected EOF");
}

/** @param where such as `after array element` */
export function invalidCharacter(text: string, at: number, where: string): JsonError {
  return new JsonError(`invalid character ${quoteCharacter(text, at)} ${where}`);
}

/** Whether the rest of a text may yet become `\uXXXX`. */
const escapePrefix = /^\\(?:u[0-9a-fA-F]{0,3})?$/;

/** @param at of the backslash */
export function invalidEscape(text: string, at: number): JsonError {
  const rest = text.slice(at, at + 6);
  if (rest.length < 6 && escapePrefix.test(rest)) return unexpectedEnd();
  const bytes = Buffer.from(rest).subarray(0, rest[1] === "u" ? 6 : 2);
  const shown = bytes.toString();
  return new JsonError(
    `invalid escape sequence ${/^[\p{L}\p{M}\p{N}\p{P}\p{S}]*$/u.test(shown) && !/[`\ufffd]/.test(shown) ? `\`${shown}\`` : quoteBytes(bytes)} in string`,
  );
}
