import { InvalidArgument } from "@longshore/errdefs";
import { quoteText } from "./quote.ts";

const spellings: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "TRUE", "true", "True"].map((text): [string, boolean] => [text, true]),
  ...["0", "f", "F", "FALSE", "false", "False"].map((text): [string, boolean] => [text, false]),
]);

/** A boolean as Go's strconv.ParseBool reads it. @throws InvalidArgument in Go's words */
export function parseBool(text: string): boolean {
  const value = spellings.get(text);
  if (value === undefined) throw new InvalidArgument(`strconv.ParseBool: parsing ${quoteText(text)}: invalid syntax`);
  return value;
}

/** The same where an error has words of its own: undefined for what is no boolean. */
export function boolOf(text: string): boolean | undefined {
  return spellings.get(text);
}
