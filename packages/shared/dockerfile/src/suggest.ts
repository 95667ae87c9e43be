import { distance } from "fastest-levenshtein";

/** What is further off is no slip of the keys. */
const farthest = 2;

/**
 * The option that the user may have meant by `value`; undefined if none is near, and if `value` is one of them.
 * Without regard to case the suggestion takes the case of what was written.
 */
function suggest(value: string, options: Iterable<string>, caseSensitive: boolean): string | undefined {
  const wanted = caseSensitive ? value : value.toLowerCase();
  let nearest: string | undefined;
  let shortest = farthest + 1;
  for (const option of options) {
    const candidate = caseSensitive ? option : option.toLowerCase();
    if (candidate === wanted) return undefined;
    const steps = distance(wanted, candidate);
    if (steps < shortest) [nearest, shortest] = [candidate, steps];
  }
  if (nearest === undefined || caseSensitive) return nearest;
  return value !== value.toLowerCase() && value === value.toUpperCase() ? nearest.toUpperCase() : nearest;
}

/** `message`, with `(did you mean …?)` behind it if something is near. */
export function withSuggestion(
  message: string,
  value: string,
  options: Iterable<string>,
  caseSensitive = true,
): string {
  const meant = suggest(value, options, caseSensitive);
  return meant === undefined ? message : `${message} (did you mean ${meant}?)`;
}
