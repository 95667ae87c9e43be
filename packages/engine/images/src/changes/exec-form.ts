import { InvalidArgument } from "@longshore/errdefs";

/**
 * A JSON list of strings, which means the exec form; undefined for what is no JSON list.
 * @throws InvalidArgument for a list of something else
 */
export function execForm(text: string): string[] | undefined {
  if (!text.trimStart().startsWith("[")) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const list = parsed as unknown[];
  if (list.every((item) => typeof item === "string")) return list;
  throw new InvalidArgument("when using JSON array syntax, arrays must be comprised of strings only");
}
