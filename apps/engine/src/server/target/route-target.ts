import type { Target } from "./target.ts";

/** Resources whose routes take all that follows for the name. */
const wildcards = new Set(["images", "volumes", "plugins", "distribution"]);

/** How many segments follow a name that may have slashes of its own; undefined where names have none. */
function segmentsBehindName(method: string, [resource, ...rest]: string[]): number | undefined {
  switch (resource) {
    case "containers":
      if (method === "DELETE") return rest.at(-2) === "checkpoints" ? 2 : 0;
      return rest.at(-2) === "attach" && rest.at(-1) === "ws" ? 2 : 1;
    case "exec":
      return 1;
    case "networks":
      return method === "POST" ? 1 : 0;
    default:
      return wildcards.has(resource ?? "") ? 0 : undefined;
  }
}

/** Where no route is. */
export const unroutable = "/";

/**
 * A target's path as the router's text, which has no query: each segment encoded, and a name that has slashes (a link's: `web/db`) as one
 * segment, as Docker's patterns (`{name:.*}`) read it, for which a line feed is in no name.
 */
export function routeTarget({ path }: Pick<Target, "path">, method: string): string {
  if (path.includes("\n")) return unroutable;
  const segments = path.slice(1).split("/");
  const behind = segmentsBehindName(method, segments);
  // Elsewhere a name has at least one letter, and no path ends with a slash.
  if (behind !== 0 && path.endsWith("/")) return unroutable;
  const end = segments.length - (behind ?? 0);
  const joined = behind !== undefined && end > 2 && !wildcards.has(segments[0] ?? "");
  const parts = joined ? [segments[0] ?? "", segments.slice(1, end).join("/"), ...segments.slice(end)] : segments;
  return `/${parts.map(encodeURIComponent).join("/")}`;
}
