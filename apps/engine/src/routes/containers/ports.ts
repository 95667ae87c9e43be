import { InvalidArgument } from "@longshore/errdefs";
import { confined } from "../../access/route-access.ts";
import { visible } from "../../access/visible.ts";
import type { RoutePlugin } from "../../backends.ts";
import { readJson } from "../../server/body/body.ts";
import { sendJson } from "../../server/answer/send.ts";
import { portsBody } from "./container-shapes.ts";
import { parameter } from "../parameters.ts";

const path = "/longshore/v1/containers/:name/ports";

/** Beyond Docker: the published ports of a container, to read and to change while it runs. */
export const portRoutes: RoutePlugin = (app, { containers }) => {
  app.get(path, confined, (request, reply) =>
    sendJson(reply, 200, containers.publishedPorts(visible(request, containers).get(parameter(request, "name")))),
  );

  app.put(path, async (request, reply) => {
    const container = visible(request, containers).get(parameter(request, "name"));
    const body = await readJson(request, portsBody);
    if (body?.PortBindings === undefined) throw new InvalidArgument("PortBindings is missing");
    const bindings = Object.entries(body.PortBindings ?? {}).map(([port, list]) => {
      return [port.includes("/") ? port : `${port}/tcp`, list] as const;
    });
    sendJson(reply, 200, await containers.changePorts(container, Object.fromEntries(bindings)));
  });
};
