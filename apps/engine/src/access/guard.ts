import type { Socket } from "node:net";
import type { Context } from "@longshore/containers";
import { PermissionDenied } from "@longshore/errdefs";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { confine } from "./labels.ts";
import { type Policy, pathOf, refusal } from "./policy.ts";

/** The policy that a connection came in under; none for the engine's own `-H` addresses. */
const policies = new WeakMap<Socket, Policy>();

/** Holds all requests of a connection to a policy. */
export function bindPolicy(socket: Socket, policy: Policy): void {
  policies.set(socket, policy);
}

function policyOf(request: FastifyRequest): Policy | undefined {
  return policies.get(request.raw.socket);
}

/** Refuses, before any route runs, what the policy of a request's socket does not let through. */
export function guard(app: FastifyInstance, containers: Context): void {
  app.addHook("onRequest", (request, _reply, done) => {
    const policy = policyOf(request);
    if (policy === undefined || request.is404) return done();
    const path = pathOf(request);
    const reason = refusal(policy, request.method, path);
    if (reason !== undefined) return done(new PermissionDenied(`permission denied: ${request.method} ${path}: ${reason}`));
    try {
      if (policy.containerLabels.length > 0) confine(containers, request, path, policy.containerLabels);
      done();
    } catch (error) {
      done(error as Error);
    }
  });
}

/** @throws PermissionDenied for a command that would leave the containers which a socket is confined to */
export function refusePrivileges(request: FastifyRequest): void {
  if ((policyOf(request)?.containerLabels.length ?? 0) > 0) throw new PermissionDenied("permission denied: this socket does not run privileged commands");
}
