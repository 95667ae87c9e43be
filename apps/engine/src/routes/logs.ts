import { type Container, frame, stderrStream, stdoutStream } from "@longshore/containers";
import { InvalidArgument, NotImplemented } from "@longshore/errdefs";
import { type LogLine, readLog, renderLine } from "@longshore/logs";
import type { RoutePlugin } from "../engine.ts";
import { multiplexedStream, rawStream } from "../server/hijack.ts";
import { Query } from "../server/query.ts";
import { speaks } from "../server/request.ts";
import { BodyStream } from "../server/stream.ts";
import { parseTimestamp } from "../server/time-parameter.ts";
import { parameter } from "./parameters.ts";

/** Lines are sent together up to about this many bytes: one write each would be slow for a long log. */
const batchBytes = 64 << 10;

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
    const render = (line: LogLine): Buffer => {
      const payload = Buffer.from(renderLine(line, show));
      return Tty ? payload : frame(line.stream === "stdout" ? stdoutStream : stderrStream, payload);
    };
    try {
      const options = { tail: /^\d+$/.test(tail) ? Number(tail) : -1, since, until, follow: query.bool("follow"), ended: endOf(container), signal: stop.signal };
      await sendAll(readLog(container.record.LogPath, options), (line) => wants[line.stream], render, stream);
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

/** Sends lines in batches; what is collected goes out as soon as the reader has to wait for more. */
async function sendAll(lines: AsyncGenerator<LogLine>, wanted: (line: LogLine) => boolean, render: (line: LogLine) => Buffer, stream: BodyStream): Promise<void> {
  let batch: Buffer[] = [];
  let bytes = 0;
  let idle: NodeJS.Immediate | undefined;
  const flush = async (): Promise<void> => {
    const data = Buffer.concat(batch);
    batch = [];
    bytes = 0;
    if (data.length > 0) await stream.write(data);
  };
  for await (const line of lines) {
    if (stream.gone.aborted) break;
    if (!wanted(line)) continue;
    const data = render(line);
    batch.push(data);
    bytes += data.length;
    if (bytes >= batchBytes) await flush();
    idle ??= setImmediate(() => {
      idle = undefined;
      void flush();
    });
  }
  if (idle !== undefined) clearImmediate(idle);
  await flush();
}
