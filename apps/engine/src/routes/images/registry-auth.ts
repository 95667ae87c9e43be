import type { AuthConfig } from "@longshore/docker-api";
import { parsePlain } from "@longshore/go-json";
import type { RegistryCall } from "@longshore/images";
import type { FastifyRequest } from "fastify";

/** The credentials of an `X-Registry-Auth` header: URL-safe base64 of JSON. What cannot be read counts as none. */
function parseRegistryAuth(header: string): AuthConfig {
  if (!/^[A-Za-z0-9_-]*={0,2}$/.test(header) || header.length % 4 !== 0) return {};
  try {
    const parsed: unknown = parsePlain(Buffer.from(header, "base64url").toString("utf8"));
    if (typeof parsed !== "object" || parsed === null) return {};
    return Object.fromEntries(Object.entries(parsed).filter(([, value]) => typeof value === "string")) as AuthConfig;
  } catch {
    return {};
  }
}

/** In whose name a request asks registries: its credentials and its `X-Meta-*` headers. */
export function registryCall(request: FastifyRequest, signal: AbortSignal): RegistryCall {
  const header = request.headers["x-registry-auth"];
  const metas = Object.entries(request.headers).filter(([name]) => name.startsWith("x-meta-"));
  const headers = Object.fromEntries(
    metas.map(([name, value]): [string, string] => [name, Array.isArray(value) ? value.join(", ") : (value ?? "")]),
  );
  return { auth: parseRegistryAuth(typeof header === "string" ? header : ""), headers, signal };
}
