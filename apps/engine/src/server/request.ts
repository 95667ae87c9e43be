import type { FastifyReply, FastifyRequest } from "fastify";
import type { IncomingMessage } from "node:http";
import { apiChanges, type ApiChange } from "./version/api-changes.ts";
import { compareVersions, maxApiVersion } from "./version/api-version.ts";
import { routeTarget, unroutable } from "./target/route-target.ts";
import { parseTarget, type Target, type Unserved } from "./target/target.ts";

/** The targets of requests, and the text that the router finds their routes by. */
const targets = new WeakMap<IncomingMessage, { target: Target | Unserved; routed: string }>();

/** Reads the target of a new request, once for all. @returns the text that the router finds its route by */
export function readTarget(raw: IncomingMessage): string {
  const known = targets.get(raw);
  if (known !== undefined) return known.routed;
  const target = parseTarget(raw.url ?? "");
  const routed = "path" in target ? routeTarget(target, raw.method ?? "GET") : unroutable;
  targets.set(raw, { target, routed });
  return routed;
}

/** Why a request's target is not served as it stands; undefined when it is. */
export function unservedTarget(request: FastifyRequest): Unserved | undefined {
  const target = targets.get(request.raw)?.target;
  return target === undefined || "path" in target ? undefined : target;
}

/** What a request names, in the one reading of its target. */
export function targetOf(request: FastifyRequest): Target {
  const target = targets.get(request.raw)?.target;
  return target !== undefined && "path" in target ? target : { version: maxApiVersion, path: "", query: "", uri: "" };
}

/** The API version of a request; the newest when its path had no prefix. */
export function apiVersionOf(request: FastifyRequest): string {
  return targetOf(request).version;
}

/** One segment of a path; a slash or percent sign in it stays encoded, since it parts nothing. */
function segment(text: string): string {
  return text.replaceAll(/[%/]/g, encodeURIComponent);
}

/** The path of the route that serves a request, its parameters filled in: what will be done, and to what. */
export function routePath(request: FastifyRequest): string {
  const parameters = request.params as Record<string, string>;
  const filled = (part: string): string => {
    if (part === "*") return (parameters["*"] ?? "").split("/").map(segment).join("/");
    return part.startsWith(":") ? segment(parameters[part.slice(1)] ?? "") : part;
  };
  return (request.routeOptions.url ?? "").split("/").map(filled).join("/");
}

/** Whether the API version of a request has a change. */
export function speaks(request: FastifyRequest, change: ApiChange): boolean {
  return compareVersions(apiVersionOf(request), apiChanges[change]) >= 0;
}

/** A signal that aborts when the client goes away before the answer is complete. */
export function clientGone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  const { raw } = reply;
  if (raw.destroyed) controller.abort();
  else raw.once("close", () => (raw.writableFinished ? undefined : controller.abort()));
  return controller.signal;
}
