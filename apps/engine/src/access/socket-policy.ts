import type { Socket } from "node:net";
import type { FastifyRequest } from "fastify";
import type { Policy } from "./policy.ts";

/** The policy that a connection came in under; none for the engine's own `-H` addresses. */
const policies = new WeakMap<Socket, Policy>();

/** Holds all requests of a connection to a policy. */
export function bindPolicy(socket: Socket, policy: Policy): void {
  policies.set(socket, policy);
}

export function policyOf(request: FastifyRequest): Policy | undefined {
  return policies.get(request.raw.socket);
}
