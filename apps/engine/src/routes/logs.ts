import { type Container, stderrStream, stdoutStream } from "@longshore/containers";
import { InvalidArgument, NotImplemented } from "@longshore/errdefs";
import { type LogLine, readLog, renderLine } from "@longshore/logs";
import type { RoutePlugin } from "../engine.ts";
import { multiplexedStream, rawStream } from "../server/hijack.ts";
import { Query } from "../server/query.ts";
import { speaks } from "../server/request.ts";
import { BodyStream } from "../server/stream.ts";
import { parseTimestamp } from "../server/time-parameter.ts";
import { parameter } from "./parameters.ts";

/** So many lines are sent together: one write each would be slow for a long log. */
const batchLines = 512;

/** Aborts when the container has ended, at once when it does not run. */
function endOf(container: Container): AbortSignal {
  const ended = new AbortController();
  void container.wait("not-running").then(() => ended.abort());
  return ended.signal;
}

export const logRoutes: RoutePlugin = (app, { containers, log }) => {
  app.get("/containers/:name/logs", { exposeHeadRoute: false }, async (request, reply) => {
    const query = new Query(request);
    const wants = { stdout: query.bool("stdout"), stderr: query.bool("stderr") };
    if (!wants.stdout && !wants.stderr) throw new InvalidArgument("Bad parameters: you must choose at least one stream");
    const container = containers.store.get(parameter(request, "name"));
    const { Tty } = container.record.Config;
    if (container.hostConfig.LogConfig.Type === "none") throw new NotImplemented("configured logging driver does not support reading");
    const since = parseTimestamp(query.get("since"));
    const until = query.get("until") === "0" ? 0n : parseTimestamp(query.get("until"));
    const tail = query.get("tail");
    const show = { timestamps: query.bool("timestamps"), details: query.bool("details") };
    const stream = new BodyStream(reply, Tty || !speaks(request, "1.42") ? rawStream : multiplexedStream);
    const stop = new AbortController();
    stream.gone.addEventListener("abort", () => stop.abort(), { once: true });
    const untilTimer = until === 0n ? undefined : setTimeout(() => stop.abort(), Math.min(2 ** 31 - 1, Math.max(0, Number(until / 1_000_000n) - Date.now() + 1)));
    if (!query.bool("follow")) clearTimeout(untilTimer);
    try {
      const options = { tail: /^\d+$/.test(tail) ? Number(tail) : -1, since, until, follow: query.bool("follow"), ended: endOf(container), signal: stop.signal };
      const batches = readLog(container.record.LogPath, options);
      for await (const lines of batches) {
        const wanted = lines.filter((line) => wants[line.stream]).map((line) => ({ stream: line.stream, text: renderLine(line, show) }));
        for (let at = 0; at < wanted.length && !stream.gone.aborted; at += batchLines) await stream.write(encode(wanted.slice(at, at + batchLines), !Tty));
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

/** Lines in one piece of memory, each in a frame of its own, as clients take a frame for a line. */
function encode(lines: readonly { stream: LogLine["stream"]; text: string }[], framed: boolean): Buffer {
  const header = framed ? 8 : 0;
  // A UTF-16 unit has at most three bytes.
  const out = Buffer.allocUnsafe(lines.reduce((sum, { text }) => sum + header + 3 * text.length, 0));
  let at = 0;
  for (const { stream, text } of lines) {
    const length = out.write(text, at + header);
    if (framed) {
      out.writeUInt32BE((stream === "stdout" ? stdoutStream : stderrStream) << 24, at);
      out.writeUInt32BE(length, at + 4);
    }
    at += header + length;
  }
  return out.subarray(0, at);
}
