import { InvalidArgument } from "@longshore/errdefs";
import { confined } from "../../access/route-access.ts";
import { visible } from "../../access/visible.ts";
import type { RoutePlugin } from "../../backends.ts";
import { Query } from "../../server/query/query.ts";
import { clientGone, speaks } from "../../server/request.ts";
import { sendJson } from "../../server/answer/send.ts";
import { BodyStream } from "../../server/answer/stream.ts";
import { parameter } from "../parameters.ts";

export const statsRoutes: RoutePlugin = (app, { containers, log }) => {
  app.get("/containers/:name/stats", confined, async (request, reply) => {
    const query = new Query(request);
    const streaming = query.bool("stream", true);
    const oneShot = query.bool("one-shot") && speaks(request, "statsOneShot");
    if (streaming && oneShot) throw new InvalidArgument("cannot have stream=true and one-shot=true");
    const container = visible(request, containers).get(parameter(request, "name"));
    if (!streaming)
      return sendJson(reply, 200, await containers.oneStats(container, { oneShot, signal: clientGone(reply) }));
    const stream = new BodyStream(reply, "application/json");
    try {
      for await (const sample of containers.streamStats(container, stream.gone)) await stream.json(sample);
      stream.end();
    } catch (error) {
      log.warn({ err: error, container: container.id }, "stats");
      stream.fail();
    }
    return reply;
  });
};
