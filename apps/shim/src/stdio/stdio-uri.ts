import { InvalidArgument } from "@longshore/errdefs";
import type { LogOptions } from "@longshore/sys";

/** Where a process's stdio comes from and goes to, as its `stdout` (or `stdin`) field says. */
export type StdioTarget =
  | { scheme: "null" }
  | { scheme: "fifo"; path: string }
  | { scheme: "file"; path: string }
  | { scheme: "binary"; path: string; args: string[]; needsByte: boolean }
  | { scheme: "longshore"; log?: LogOptions; attach: string; stdinOnce: boolean };

/** Parses one stdio field of a create or exec request. */
export function parseStdio(uri: string): StdioTarget {
  if (uri === "") return { scheme: "null" };
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^?]*)(?:\?(.*))?$/is.exec(uri);
  if (match === null) return { scheme: "fifo", path: uri };
  const [, scheme = "", rawPath = "", query = ""] = match;
  const path = decodeURIComponent(rawPath);
  switch (scheme) {
    case "fifo":
    case "file":
      return { scheme, path };
    case "binary":
    case "binary-v2":
      return { scheme: "binary", path, args: firstValues(query), needsByte: scheme === "binary-v2" };
    case "longshore":
      return { scheme, ...parseLongshore(uri, path, new URLSearchParams(query)) };
    default:
      throw new InvalidArgument(`unknown STDIO scheme ${scheme}`);
  }
}

function firstValues(query: string): string[] {
  const args = new Map<string, string>();
  for (const [key, value] of new URLSearchParams(query)) if (!args.has(key)) args.set(key, value);
  return [...args].flat();
}

const localDefaults = { "max-size": "20971520", "max-file": "5", compress: "true" };

function parseLongshore(
  uri: string,
  path: string,
  query: URLSearchParams,
): { log?: LogOptions; attach: string; stdinOnce: boolean } {
  const attach = query.get("attach") ?? "";
  if (attach !== "" && (!attach.startsWith("/") || Buffer.byteLength(attach) > 107))
    throw new InvalidArgument(`attach must be an absolute path of at most 107 bytes in ${JSON.stringify(uri)}`);
  const stdinOnce = query.get("stdin-once") === "true";
  const driver = query.get("driver") ?? "json-file";
  if (driver === "none" || path === "") return { attach, stdinOnce };
  if (driver !== "json-file" && driver !== "local")
    throw new InvalidArgument(`unknown log driver ${JSON.stringify(driver)} in ${JSON.stringify(uri)}`);
  if (!path.startsWith("/")) throw new InvalidArgument(`the log's path must be absolute in ${JSON.stringify(uri)}`);
  const value = (key: keyof typeof localDefaults): string | undefined =>
    query.get(key) ?? (driver === "local" ? localDefaults[key] : undefined);
  const log: LogOptions = {
    path,
    compress: value("compress") === "true",
    keepBytes: driver === "local",
    maxFiles: positive(uri, "max-file", value("max-file") ?? "1"),
  };
  const maxSize = value("max-size");
  if (maxSize !== undefined && maxSize !== "-1") log.maxSize = positive(uri, "max-size", maxSize);
  const attrs = query.get("attrs") ?? "";
  if (attrs !== "") log.attrs = checkedAttrs(uri, attrs);
  return { log, attach, stdinOnce };
}

function positive(uri: string, key: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || !Number.isSafeInteger(value))
    throw new InvalidArgument(`${key} must be a positive number in ${JSON.stringify(uri)}`);
  return value;
}

/** Re-encoded, so that nothing but one line of JSON gets into the log. Docker writes sorted keys. */
function checkedAttrs(uri: string, text: string): string {
  let attrs: unknown;
  try {
    attrs = JSON.parse(text);
  } catch (cause) {
    throw new InvalidArgument(`attrs is not JSON in ${JSON.stringify(uri)}`, { cause });
  }
  if (typeof attrs !== "object" || attrs === null || Array.isArray(attrs))
    throw new InvalidArgument(`attrs must be an object in ${JSON.stringify(uri)}`);
  const sorted = Object.entries(attrs).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (sorted.length === 0) return "";
  const encoded = JSON.stringify(Object.fromEntries(sorted));
  if (encoded.length > 64 << 10) throw new InvalidArgument("attrs is longer than 64 KiB");
  return encoded;
}
