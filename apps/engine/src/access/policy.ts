import type { RouteAccess } from "./route-access.ts";

/** What a further socket of the engine lets through. What is not said is not restricted. */
export interface Policy {
  readonly readOnly: boolean;
  /** `key` or `key=value`: only containers with all of these labels can be seen and used. */
  readonly containerLabels: readonly string[];
  /** Only requests that one of these rules names; empty for all. */
  readonly endpoints: readonly EndpointRule[];
}

/** `GET /containers/{id}/json`: a method or `*`, and a path of the API without its version. */
export interface EndpointRule {
  readonly method: string;
  readonly path: RegExp;
}

/** Names may hold slashes below these; elsewhere a name is one segment. */
const slashed = /^\/(?:images|distribution|plugins)\//;

function escape(text: string): string {
  return text.replaceAll(/[.+?^$()|[\]\\{}]/g, "\\$&");
}

/**
 * Reads a rule such as `POST /containers/{id}/restart`. `{…}` stands for any name, `**` at the end
 * for the rest of a path.
 * @returns undefined when the text is no rule
 */
export function parseEndpointRule(text: string): EndpointRule | undefined {
  const [, method, path] = /^([A-Z]+|\*) (\/\S*)$/.exec(text.trim()) ?? [];
  if (method === undefined || path === undefined) return undefined;
  const name = slashed.test(path) ? ".+" : "[^/]+";
  const pattern = path
    .split(/(\{[^{}/]*\}|\*\*$)/)
    .map((part) => (part === "**" ? ".*" : part.startsWith("{") ? name : escape(part)));
  return { method, path: new RegExp(`^${pattern.join("")}$`) };
}

/** What a request will do: the route that it reached, and that route's path with the parameters that were found in it. */
export interface Deed {
  readonly method: string;
  /** `/containers/:name/wait` */
  readonly route: string;
  /** `/containers/web/wait`, without a version */
  readonly path: string;
  readonly access: RouteAccess;
}

/** Clients ask for these before anything else, to learn which engine and version they talk to. */
const greetings = new Set(["/_ping", "/version"]);

const reading = new Set(["GET", "HEAD", "OPTIONS"]);

/** Whether a route can change something. */
export function changes(method: string, access: RouteAccess): boolean {
  return access.changes ?? !reading.has(method);
}

/** Why a policy does not let a request through. */
export function refusal(policy: Policy, { method, route, path, access }: Deed): string | undefined {
  if (greetings.has(route)) return undefined;
  if (policy.readOnly && changes(method, access)) return "this socket is read-only";
  const asked = method === "HEAD" ? ["HEAD", "GET"] : [method];
  const named =
    policy.endpoints.length === 0 ||
    policy.endpoints.some((rule) => (rule.method === "*" || asked.includes(rule.method)) && rule.path.test(path));
  if (!named) return "this socket does not serve that endpoint";
  // Creating a container, or taking ports of the host, could reach the whole machine.
  if (policy.containerLabels.length > 0 && access.confined !== true)
    return "this socket serves containers with certain labels only";
  return undefined;
}
