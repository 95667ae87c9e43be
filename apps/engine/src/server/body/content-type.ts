import { InvalidArgument } from "@longshore/errdefs";

/** RFC 9110's tokens. */
const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const firstToken = new RegExp(`^${token}`);
const wholeMediaType = new RegExp(`^(?:${token}/${token}|${token})$`);
const parameter = new RegExp(`^\\s*;\\s*(${token})\\s*=\\s*(?:${token}|"(?:[^"\\\\\\r\\n]|\\\\.)*")`);

/** What is wrong with a media type, as Go's `mime` tells it. */
function mediaTypeFault(text: string): string | undefined {
  const [type = "", subtype, more] = text.split("/");
  if (firstToken.exec(type)?.[0] !== type)
    return type === "" || firstToken.exec(type) === null
      ? "mime: no media type"
      : "mime: expected slash after first token";
  if (wholeMediaType.test(text)) return undefined;
  if (subtype === undefined || firstToken.exec(subtype) === null) return "mime: expected token after slash";
  return more !== undefined || firstToken.exec(subtype)?.[0] !== subtype
    ? "mime: unexpected content after media subtype"
    : undefined;
}

function parametersFault(text: string): string | undefined {
  const names = new Set<string>();
  for (let rest = text; rest !== "";) {
    const match = parameter.exec(rest);
    if (match === null)
      return /^\s*;\s*$/.test(rest) || /^\s*$/.test(rest) ? undefined : "mime: invalid media parameter";
    const name = (match[1] ?? "").toLowerCase();
    if (names.has(name)) return "mime: duplicate parameter name";
    names.add(name);
    rest = rest.slice(match[0].length);
  }
  return undefined;
}

/** @throws InvalidArgument with Docker's words unless a header names JSON */
export function checkJsonType(header: string): void {
  const semicolon = header.indexOf(";");
  const type = (semicolon < 0 ? header : header.slice(0, semicolon)).trim().toLowerCase();
  const fault = mediaTypeFault(type) ?? (semicolon < 0 ? undefined : parametersFault(header.slice(semicolon)));
  if (fault !== undefined) throw new InvalidArgument(`malformed Content-Type header (${header}): ${fault}`);
  if (type !== "application/json")
    throw new InvalidArgument(`unsupported Content-Type header (${header}): must be 'application/json'`);
}
