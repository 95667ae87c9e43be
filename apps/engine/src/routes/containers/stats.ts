import { setTimeout as sleep } from "node:timers/promises";
import type { ContainerStatsResponse } from "@longshore/docker-api";
import { emptyStats, sampleStats } from "@longshore/containers";
import { InvalidArgument } from "@longshore/errdefs";
import { confined } from "../../access/route-access.ts";
import { visible } from "../../access/visible.ts";
import type { RoutePlugin } from "../../engine.ts";
import { Query } from "../../server/query/query.ts";
import { clientGone, speaks } from "../../server/request.ts";
import { sendJson } from "../../server/answer/send.ts";
import { BodyStream } from "../../server/answer/stream.ts";
import { parameter } from "../parameters.ts";

const intervalMs = 1000;

export const statsRoutes: RoutePlugin = (app, { containers, log }) => {
  app.get("/containers/:name/stats", confined, async (request, reply) => {
    const query = new Query(request);
    const streaming = query.bool("stream", true);
    const oneShot = query.bool("one-shot") && speaks(request, "statsOneShot");
    if (streaming && oneShot) throw new InvalidArgument("cannot have stream=true and one-shot=true");
    const container = visible(request, containers).get(parameter(request, "name"));
    if (!streaming) {
      if (!container.alive) return sendJson(reply, 200, emptyStats(container));
      if (oneShot) {
        // As Docker: one shot names no container.
        const { id: _id, name: _name, ...sample } = await sampleStats(containers, container, undefined);
        return sendJson(reply, 200, sample);
      }
      const previous = await sampleStats(containers, container, undefined);
      await sleep(intervalMs, undefined, { signal: clientGone(reply) });
      return sendJson(reply, 200, await sampleStats(containers, container, previous));
    }
    const stream = new BodyStream(reply, "application/json");
    const removed = new AbortController();
    container.wait("removed", stream.gone).then(
      () => removed.abort(),
      () => undefined,
    );
    const over = AbortSignal.any([stream.gone, removed.signal]);
    let previous: ContainerStatsResponse | undefined;
    try {
      while (!over.aborted) {
        const sample = await sampleStats(containers, container, previous);
        await stream.json(sample);
        previous = container.alive ? sample : undefined;
        await sleep(intervalMs, undefined, { signal: over }).catch(() => undefined);
      }
      stream.end();
    } catch (error) {
      log.warn({ err: error, container: container.id }, "stats");
      stream.fail();
    }
    return reply;
  });
};
