import type { Backends } from "../../backends.ts";
import { routes } from "../../routes/all.ts";
import type { FastifyInstance } from "fastify";

/** A request that has reached a route, with what the route was given. */
export interface Ran {
  method: string;
  route: string;
  parameters: Record<string, string>;
}

/** Stands for everything that routes take from the engine when they are added. */
const anything: unknown = new Proxy(() => undefined, { get: () => anything });

/**
 * Adds all routes of the engine, which note what they are asked and answer 200 instead of doing it.
 * @returns all routes, as `GET /info`
 */
export function addRecorders(app: FastifyInstance, ran: (deed: Ran) => void): string[] {
  const all: string[] = [];
  app.addHook("onRoute", (options) => {
    const route = options.url;
    all.push(`${String(options.method)} ${route}`);
    options.handler = (request, reply) => {
      ran({ method: request.method, route, parameters: { ...(request.params as Record<string, string>) } });
      void reply.send("ran");
    };
  });
  for (const add of routes) add(app, anything as Backends);
  return all;
}
