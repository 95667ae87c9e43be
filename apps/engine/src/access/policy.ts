import type { FastifyRequest } from "fastify";

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
  const pattern = path.split(/(\{[^{}/]*\}|\*\*$)/).map((part) => (part === "**" ? ".*" : part.startsWith("{") ? name : escape(part)));
  return { method, path: new RegExp(`^${pattern.join("")}$`) };
}

/** Clients ask for these before anything else, to learn which engine and version they talk to. */
const greetings = new Set(["/_ping", "/version"]);

/** What is not known to change nothing: attaching over a web socket carries input. */
function changes(method: string, path: string): boolean {
  if (method === "GET" || method === "HEAD") return /^\/containers\/[^/]+\/attach\/ws$/.test(path);
  return !(method === "POST" && /^\/containers\/[^/]+\/wait$/.test(path));
}

/**
 * Why a policy does not let a request through, judged by its method and path alone.
 * @param path without version and query, decoded
 */
export function refusal(policy: Policy, method: string, path: string): string | undefined {
  if (greetings.has(path)) return undefined;
  if (policy.readOnly && changes(method, path)) return "this socket is read-only";
  const asked = method === "HEAD" ? ["HEAD", "GET"] : [method];
  const named = policy.endpoints.length === 0 || policy.endpoints.some((rule) => (rule.method === "*" || asked.includes(rule.method)) && rule.path.test(path));
  if (!named) return "this socket does not serve that endpoint";
  if (policy.containerLabels.length > 0 && !aboutContainers(method, path)) return "this socket serves containers with certain labels only";
  return undefined;
}

/** What stays within single containers; creating one, or taking ports of the host, could reach the whole machine. */
function aboutContainers(method: string, path: string): boolean {
  if (path.startsWith("/longshore/v1/containers/")) return method === "GET" || method === "HEAD";
  if (path === "/containers/create") return false;
  return /^\/(?:containers|exec)\//.test(path) || path === "/events" || path === "/info";
}

/** The path of a request as the rules see it: decoded, but for slashes within a name, which end no segment for the router either. */
export function pathOf(request: FastifyRequest): string {
  const [path = "/"] = (request.raw.url ?? "/").split("?", 1);
  try {
    return path.split("/").map((segment) => decodeURIComponent(segment).replaceAll("/", "%2F")).join("/");
  } catch {
    return path;
  }
}
