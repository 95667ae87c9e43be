import type { FastifyRequest } from "fastify";
import { NotFound, NotImplemented, Unavailable } from "@longshore/errdefs";
import type { RoutePlugin } from "../../backends.ts";
import { discardBody } from "../../server/body/body.ts";
import { sendJson } from "../../server/answer/send.ts";

import { parameter } from "../parameters.ts";

/** What a request that needs a swarm is told. */
export const notManager =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

const swarmPaths = [
  "/swarm",
  "/swarm/unlockkey",
  "/nodes",
  "/nodes/:id",
  "/services",
  "/services/:id",
  "/services/:id/logs",
  "/tasks",
  "/tasks/:id",
  "/tasks/:id/logs",
  "/secrets",
  "/secrets/:id",
  "/configs",
  "/configs/:id",
];
const swarmChanges = [
  "/swarm/update",
  "/swarm/unlock",
  "/nodes/:id/update",
  "/services/create",
  "/services/:id/update",
  "/secrets/create",
  "/secrets/:id/update",
  "/configs/create",
  "/configs/:id/update",
];

/** The plugin's name in `NAME/json`, `NAME/enable`, …; pushing names the tag too. */
function pluginName(path: string): string {
  const name = path.replace(/\/(json|enable|disable|set|upgrade)$/, "");
  const pushed = path.replace(/\/push$/, "");
  return pushed === path || pushed.includes(":") ? name.replace(/\/push$/, "") : `${pushed}:latest`;
}

/**
 * Builds, swarm mode and plugins are not served. Clients ask for them all the same, and
 * get the answers of a Docker engine on which nobody has turned them on, or are told so.
 */
export const unservedRoutes: RoutePlugin = (app) => {
  const refuse = (): never => {
    throw new Unavailable(notManager);
  };
  for (const path of swarmPaths) app.get(path, refuse);
  for (const path of swarmChanges) app.post(path, refuse);
  for (const path of ["/nodes/:id", "/services/:id", "/secrets/:id", "/configs/:id"]) app.delete(path, refuse);
  app.post("/swarm/leave", () => {
    throw new Unavailable("This node is not part of a swarm");
  });
  for (const path of ["/swarm/init", "/swarm/join"]) {
    app.post(path, () => {
      throw new NotImplemented("swarm mode is not supported by this engine");
    });
  }
  for (const path of ["/build", "/session", "/grpc"]) {
    app.post(path, () => {
      throw new NotImplemented("building images is not supported by this engine");
    });
  }
  app.get("/plugins", (_request, reply) => sendJson(reply, 200, []));
  const noPlugin = (request: FastifyRequest): never => {
    throw new NotFound(`plugin ${JSON.stringify(pluginName(parameter(request, "*")))} not found`);
  };
  // Names of plugins have slashes.
  app.get("/plugins/*", noPlugin);
  app.delete("/plugins/*", noPlugin);
  app.post("/plugins/*", async (request) => {
    await discardBody(request);
    if (/^(pull|create)$/.test(parameter(request, "*")))
      throw new NotImplemented("plugins that run in containers are not supported by this engine");
    noPlugin(request);
  });
  app.get("/plugins/privileges", () => {
    throw new NotImplemented("plugins that run in containers are not supported by this engine");
  });
};
