/** Decodes percent signs as Go does: bytes first, then UTF-8. @returns undefined for a percent sign without two digits */
export function decodePath(raw: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(raw)) return undefined;
  const bytes = raw.replaceAll(/%(..)/g, (_whole, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/** Go's `path.Clean` as its routers use it: a slash at the end stays. */
export function cleanPath(path: string): string {
  const out: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") out.pop();
    else if (segment !== "" && segment !== ".") out.push(segment);
  }
  if (out.length === 0) return "/";
  return `/${out.join("/")}${path.endsWith("/") ? "/" : ""}`;
}

/** Encodes what has a meaning of its own in a URL, or none; slashes part segments. The inverse of `decodePath`. */
export function escapePath(path: string): string {
  return path
    .replaceAll(/[^A-Za-z0-9\-._~/:@$&+=,;!'()*]/gu, encodeURIComponent)
    .replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}
