import { canReadLog, type Container, noteLogDamage } from "@longshore/containers";
import { InvalidArgument, messageOf, NotImplemented } from "@longshore/errdefs";
import {
  type LogLine,
  type LogShow,
  openLog,
  type ReadConfig,
  type ReadOptions,
  renderError,
  renderLines,
} from "@longshore/logging";
import { confined } from "../../access/route-access.ts";
import { visible } from "../../access/visible.ts";
import type { RoutePlugin } from "../../engine.ts";
import { multiplexedStream, rawStream } from "../../server/takeover/hijack.ts";
import { Query } from "../../server/query/query.ts";
import { clientGone, speaks } from "../../server/request.ts";
import { BodyStream } from "../../server/answer/stream.ts";
import { parseTimestamp } from "../../server/query/time-parameter.ts";
import { parameter } from "../parameters.ts";

/** Aborts at the end of the run that is on, at once when there is none: as with Docker a restart by policy is not waited for. */
function endOf(container: Container, gone: AbortSignal): AbortSignal {
  if (!container.alive) return AbortSignal.abort();
  const ended = new AbortController();
  container.wait("next-exit", gone).then(
    () => ended.abort(),
    () => undefined,
  );
  return ended.signal;
}

function tailOf(query: Query): number {
  const tail = query.get("tail");
  // What Go's Atoi reads as a number; all else asks for all lines, as a negative number does.
  return /^[+]?\d+$/.test(tail) && Number(tail) < 2 ** 63 ? Number(tail) : -1;
}

/** What a plugin reads, rendered; what keeps it from that is said in the stream, as dockerd does it. */
async function* fromPlugin(
  lines: AsyncIterable<LogLine> | Error,
  show: LogShow,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    if (lines instanceof Error) throw lines;
    yield* renderLines(lines, show);
  } catch (error) {
    if (!signal.aborted) yield renderError(messageOf(error), show.framed);
  }
}

export const logRoutes: RoutePlugin = (app, { containers, log }) => {
  /** What the container's plugin reads, or why it cannot; undefined when it is not the one that reads. */
  const plugged = (
    container: Container,
    config: ReadConfig,
    signal: AbortSignal,
  ): Promise<AsyncGenerator<LogLine> | Error | undefined> =>
    containers.logFeeds
      .read(container, config, signal)
      .catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));

  app.get("/containers/:name/logs", confined, async (request, reply) => {
    const query = new Query(request);
    const wants = { stdout: query.bool("stdout"), stderr: query.bool("stderr") };
    if (!wants.stdout && !wants.stderr)
      throw new InvalidArgument("Bad parameters: you must choose at least one stream");
    const container = visible(request, containers).get(parameter(request, "name"));
    const { Tty } = container.record.Config;
    const since = parseTimestamp(query.get("since"));
    const until = query.get("until") === "0" ? 0n : parseTimestamp(query.get("until"));
    const show: LogShow = {
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
    const lines = await plugged(container, { since, until, tail, follow }, stop.signal);
    if (lines === undefined && !canReadLog(container))
      throw new NotImplemented("configured logging driver does not support reading");
    const options: ReadOptions = {
      tail,
      follow,
      ended: endOf(container, gone),
      signal: stop.signal,
      damaged: (damage) => noteLogDamage(container, damage, log),
    };
    // Whoever has the answer's head follows: nothing that is printed then can be missed.
    const opened =
      lines === undefined
        ? await openLog(container.record.LogPath, options, show)
        : { read: () => fromPlugin(lines, show, stop.signal), close: async () => undefined };
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
