import { maxApiVersion } from "../version/api-version.ts";
import { cleanPath, decodePath, escapePath } from "./target-path.ts";

/**
 * What the target of a request names (RFC 9112, section 3.2), as Go's net/http and Docker's router
 * read it. It is read once: router, policies, plugins and audit log all judge by this.
 */
export interface Target {
  /** The API version that its prefix asks for; the newest without one. */
  readonly version: string;
  /** Percent-decoded, without the version; no segment but the last one is empty, `.` or `..`. */
  readonly path: string;
  /** As the client wrote it, without the question mark. */
  readonly query: string;
  /** Path, version included, and query in a spelling that every parser of URLs reads alike. */
  readonly uri: string;
}

/** What a client is told about a target that is not served as it stands. */
export type Unserved = { readonly malformed: true } | { readonly movedTo: string };

/** Neither HTTP's grammar nor Go takes these, though a parser may. */
// oxlint-disable-next-line no-control-regex
const control = /[\u0000-\u0020\u007f]/;

/** A dot in Go's pattern is no line feed. */
const versioned = /^\/v([0-9.]+)(\/.*)$/s;

/** `scheme://user@host:port` before a path or query; all but the scheme can be left out. */
const beforePath =
  /^[A-Za-z][A-Za-z0-9+.-]*:(?:\/\/(?:[^/?#@[\]]*@)?(?:\[[0-9A-Fa-f:.]+\]|[^/?#@:[\]%]*)(?::\d*)?(?=[/?]|$)|(?=\/(?!\/)))/;

/** The path and query of an origin-form or absolute-form target, undecoded; undefined for other forms. */
function pathAndQuery(text: string): string | undefined {
  if (text === "*" || text.startsWith("/")) return text;
  const before = beforePath.exec(text)?.[0];
  return before === undefined ? undefined : text.slice(before.length);
}

/** @param raw as Node's parser hands it over: one character for each byte */
export function parseTarget(raw: string): Target | Unserved {
  const found = control.test(raw) ? undefined : pathAndQuery(raw);
  if (found === undefined) return { malformed: true };
  const mark = found.indexOf("?");
  const path = decodePath(mark < 0 ? found : found.slice(0, mark));
  if (path === undefined) return { malformed: true };
  const query = mark < 0 ? "" : Buffer.from(found.slice(mark + 1), "latin1").toString("utf8");
  // What Go takes for a part of the query others take for the start of a fragment.
  const suffix = query === "" ? "" : `?${query.replaceAll("#", "%23")}`;
  const clean = cleanPath(path);
  if (clean !== path) return { movedTo: escapePath(clean) + suffix };
  const [, version = maxApiVersion, unversioned = path] = versioned.exec(path) ?? [];
  return { version, path: unversioned, query, uri: escapePath(path) + suffix };
}
