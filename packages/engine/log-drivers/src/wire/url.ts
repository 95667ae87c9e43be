import { InvalidArgument } from "@longshore/errdefs";
import { quoteText } from "@longshore/go-values";

/** A URL as Go's net/url splits it. */
export interface GoUrl {
  scheme: string;
  /** `host:port` as written. */
  host: string;
  /** Unescaped. */
  path: string;
  hasQuery: boolean;
  hasFragment: boolean;
}

/** @throws InvalidArgument in the words of url.Parse: `parse "::": missing protocol scheme` */
export function parseUrl(text: string): GoUrl {
  const refuse = (why: string): InvalidArgument => new InvalidArgument(`parse ${quoteText(text)}: ${why}`);
  // oxlint-disable-next-line no-control-regex
  if (/[\x00-\x1f\x7f]/.test(text)) throw refuse("net/url: invalid control character in URL");
  const [beforeFragment = "", ...fragment] = text.split("#");
  if (beforeFragment.startsWith(":")) throw refuse("missing protocol scheme");
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(beforeFragment)?.[1] ?? "";
  const [rest = "", ...query] = beforeFragment.slice(scheme === "" ? 0 : scheme.length + 1).split("?");
  const found = { scheme: scheme.toLowerCase(), hasQuery: query.length > 0, hasFragment: fragment.length > 0 };
  if (!rest.startsWith("/")) {
    if (scheme === "" && (rest.split("/")[0] ?? "").includes(":"))
      throw refuse("first path segment in URL cannot contain colon");
    return { ...found, host: "", path: scheme === "" ? rest : "" };
  }
  if (!rest.startsWith("//") || (scheme === "" && rest.startsWith("///")))
    return { ...found, host: "", path: unescape(rest) };
  const slash = rest.indexOf("/", 2);
  const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  const port = host.startsWith("[")
    ? host.slice(host.lastIndexOf("]") + 1)
    : host.slice(host.includes(":") ? host.lastIndexOf(":") : host.length);
  // Only an address in brackets has something escaped: its zone.
  if (!host.startsWith("[")) checkEscapes(host);
  if (host.startsWith("[") && !host.includes("]")) throw refuse("missing ']' in host");
  if (port !== "" && !/^:\d*$/.test(port)) throw refuse(`invalid port ${quoteText(port)} after host`);
  return { ...found, host, path: slash < 0 ? "" : unescape(rest.slice(slash)) };

  function checkEscapes(part: string): void {
    const bad = /%(?![0-9A-Fa-f]{2}).{0,2}/.exec(part)?.[0];
    if (bad !== undefined) throw refuse(`invalid URL escape ${quoteText(bad)}`);
  }

  function unescape(path: string): string {
    checkEscapes(path);
    return Buffer.from(
      path.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
      "latin1",
    ).toString();
  }
}

/** Host and port of `host:port`. @throws InvalidArgument in the words of net.SplitHostPort: `address x: missing port in address` */
export function splitHostPort(address: string): { host: string; port: string } {
  const refuse = (why: string): InvalidArgument => new InvalidArgument(`address ${address}: ${why}`);
  const colon = address.lastIndexOf(":");
  if (colon < 0) throw refuse("missing port in address");
  if (address.startsWith("[")) {
    const end = address.indexOf("]");
    if (end < 0) throw refuse("missing ']' in address");
    if (end + 1 === address.length) throw refuse("missing port in address");
    if (end + 1 !== colon)
      throw refuse(address[end + 1] === ":" ? "too many colons in address" : "missing port in address");
    return { host: address.slice(1, end), port: address.slice(colon + 1) };
  }
  const host = address.slice(0, colon);
  if (host.includes(":")) throw refuse("too many colons in address");
  return { host, port: address.slice(colon + 1) };
}
