import { PermissionDenied } from "@longshore/errdefs";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { routePath } from "../server/request.ts";
import { refusal } from "./policy.ts";
import { policyOf } from "./socket-policy.ts";

/** Refuses, before it runs, the route that a request has reached and its socket's policy does not let through. */
export function guard(app: FastifyInstance): void {
  app.addHook("onRequest", (request, _reply, done) => {
    const policy = policyOf(request);
    if (policy === undefined || request.is404) return done();
    const path = routePath(request);
    const { url: route = "", config } = request.routeOptions;
    const reason = refusal(policy, { method: request.method, route, path, access: config });
    done(
      reason === undefined
        ? undefined
        : new PermissionDenied(`permission denied: ${request.method} ${path}: ${reason}`),
    );
  });
}

/** @throws PermissionDenied for a command that would leave the containers which a socket is confined to */
export function refusePrivileges(request: FastifyRequest): void {
  if ((policyOf(request)?.containerLabels.length ?? 0) > 0)
    throw new PermissionDenied("permission denied: this socket does not run privileged commands");
}
