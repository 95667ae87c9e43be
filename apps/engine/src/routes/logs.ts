import { type Container, isPluginDriver, noteLogDamage } from "@longshore/containers";
import { InvalidArgument, NotImplemented } from "@longshore/errdefs";
import { type LogShow, readLog, type ReadOptions } from "@longshore/logs";
import type { RoutePlugin } from "../engine.ts";
import { multiplexedStream, rawStream } from "../server/hijack.ts";
import { Query } from "../server/query.ts";
import { speaks } from "../server/request.ts";
import { BodyStream } from "../server/stream.ts";
import { parseTimestamp } from "../server/time-parameter.ts";
import { parameter } from "./parameters.ts";

/** Aborts when the container has ended, at once when it does not run. */
function endOf(container: Container): AbortSignal {
  const ended = new AbortController();
  void container.wait("not-running").then(() => ended.abort());
  return ended.signal;
}

function canReadLog({ hostConfig: { LogConfig } }: Container): boolean {
  return LogConfig.Type !== "none" && !(isPluginDriver(LogConfig.Type) && LogConfig.Config?.["cache-disabled"] === "true");
}

export const logRoutes: RoutePlugin = (app, { containers, log }) => {
  app.get("/containers/:name/logs", { exposeHeadRoute: false }, async (request, reply) => {
    const query = new Query(request);
    const wants = { stdout: query.bool("stdout"), stderr: query.bool("stderr") };
    if (!wants.stdout && !wants.stderr) throw new InvalidArgument("Bad parameters: you must choose at least one stream");
    const container = containers.store.get(parameter(request, "name"));
    const { Tty } = container.record.Config;
    if (!canReadLog(container)) throw new NotImplemented("configured logging driver does not support reading");
    const since = parseTimestamp(query.get("since"));
    const until = query.get("until") === "0" ? 0n : parseTimestamp(query.get("until"));
    const tail = query.get("tail");
    const show: LogShow = { ...wants, framed: !Tty, timestamps: query.bool("timestamps"), details: query.bool("details"), since, until };
    const stream = new BodyStream(reply, Tty || !speaks(request, "1.42") ? rawStream : multiplexedStream);
    const stop = new AbortController();
    stream.gone.addEventListener("abort", () => stop.abort(), { once: true });
    const untilTimer = until === 0n ? undefined : setTimeout(() => stop.abort(), Math.min(2 ** 31 - 1, Math.max(0, Number(until / 1_000_000n) - Date.now() + 1)));
    if (!query.bool("follow")) clearTimeout(untilTimer);
    try {
      const options: ReadOptions = { tail: /^\d+$/.test(tail) ? Number(tail) : -1, follow: query.bool("follow"), ended: endOf(container), signal: stop.signal, damaged: (damage) => noteLogDamage(container, damage, log) };
      for await (const bytes of readLog(container.record.LogPath, options, show)) {
        await stream.write(bytes);
        if (stream.gone.aborted) break;
      }
      stream.end();
    } catch (error) {
      log.error({ err: error, container: container.id }, "reading a log");
      stream.fail();
    } finally {
      clearTimeout(untilTimer);
    }
    return reply;
  });
};
