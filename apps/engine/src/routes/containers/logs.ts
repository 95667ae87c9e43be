import { InvalidArgument } from "@longshore/errdefs";
import { confined } from "../../access/route-access.ts";
import { visible } from "../../access/visible.ts";
import type { RoutePlugin } from "../../backends.ts";
import { multiplexedStream, rawStream } from "../../server/takeover/hijack.ts";
import { Query } from "../../server/query/query.ts";
import { clientGone, speaks } from "../../server/request.ts";
import { BodyStream } from "../../server/answer/stream.ts";
import { parseTimestamp } from "../../server/query/time-parameter.ts";
import { parameter } from "../parameters.ts";

function tailOf(query: Query): number {
  const tail = query.get("tail");
  // What Go's Atoi reads as a number; all else asks for all lines, as a negative number does.
  return /^[+]?\d+$/.test(tail) && Number(tail) < 2 ** 63 ? Number(tail) : -1;
}

export const logRoutes: RoutePlugin = (app, { containers, log }) => {
  app.get("/containers/:name/logs", confined, async (request, reply) => {
    const query = new Query(request);
    const wants = { stdout: query.bool("stdout"), stderr: query.bool("stderr") };
    if (!wants.stdout && !wants.stderr)
      throw new InvalidArgument("Bad parameters: you must choose at least one stream");
    const container = visible(request, containers).get(parameter(request, "name"));
    const { Tty } = container.record.Config;
    const since = parseTimestamp(query.get("since"));
    const until = query.get("until") === "0" ? 0n : parseTimestamp(query.get("until"));
    const show = {
      ...wants,
      framed: !Tty,
      timestamps: query.bool("timestamps"),
      details: query.bool("details"),
      since,
      until,
    };
    const tail = tailOf(query);
    const follow = query.bool("follow");
    const stop = new AbortController();
    const gone = clientGone(reply);
    gone.addEventListener("abort", () => stop.abort(), { once: true });
    const opened = await containers.openLog(
      container,
      { show, tail, follow, since, until },
      { stop: stop.signal, gone },
    );
    const stream = new BodyStream(
      reply,
      Tty || !speaks(request, "multiplexedMediaType") ? rawStream : multiplexedStream,
    );
    const untilTimer =
      until === 0n || !follow
        ? undefined
        : setTimeout(
            () => stop.abort(),
            Math.min(2 ** 31 - 1, Math.max(0, Number(until / 1_000_000n) - Date.now() + 1)),
          );
    try {
      for await (const bytes of opened.read()) {
        await stream.write(bytes);
        if (stream.gone.aborted) break;
      }
      stream.end();
    } catch (error) {
      log.error({ err: error, container: container.id }, "reading a log");
      stream.fail();
    } finally {
      clearTimeout(untilTimer);
      await opened.close();
    }
    return reply;
  });
};
