import type { FastifyRequest } from "fastify";

/** A path parameter by name, percent-decoded. */
export function parameter(request: FastifyRequest, name: string): string {
  return (request.params as Record<string, string>)[name] ?? "";
}
