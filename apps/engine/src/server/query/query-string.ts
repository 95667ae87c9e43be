import { decodePath } from "../target/target-path.ts";

/** The parameters of a query, in the order of their names' first appearance, and what is wrong with it. */
export interface QueryString {
  readonly parameters: ReadonlyMap<string, readonly string[]>;
  /** In Go's words; what is wrong is left out of the parameters. */
  readonly fault: string | undefined;
}

/** Go's `url.QueryUnescape`. @returns undefined for a percent sign without two digits */
function unescape(text: string): string | undefined {
  const spaced = text.replaceAll("+", " ");
  return spaced.includes("%") ? decodePath(Buffer.from(spaced).toString("latin1")) : spaced;
}

function escapeFault(text: string): string {
  const at = text.search(/%(?![0-9A-Fa-f]{2})/);
  return `invalid URL escape ${JSON.stringify(text.slice(at, at + 3))}`;
}

/** Reads a query as Go's `url.ParseQuery` does. */
export function parseQueryString(query: string): QueryString {
  const parameters = new Map<string, string[]>();
  let fault: string | undefined;
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    if (pair.includes(";")) {
      fault = "invalid semicolon separator in query";
      continue;
    }
    const equals = pair.indexOf("=");
    const [written, assigned] = equals < 0 ? [pair, ""] : [pair.slice(0, equals), pair.slice(equals + 1)];
    const name = unescape(written);
    const value = unescape(assigned);
    if (name === undefined || value === undefined) {
      fault ??= escapeFault(name === undefined ? written : assigned);
      continue;
    }
    const values = parameters.get(name);
    if (values === undefined) parameters.set(name, [value]);
    else values.push(value);
  }
  return { parameters, fault };
}
