import { Attachment, attachContainer, checkAttachable, type Container, frame, noteLogDamage, parseDetachKeys, stdoutStream } from "@longshore/containers";
import { httpStatusOf, messageOf } from "@longshore/errdefs";
import type { Logger } from "@longshore/log";
import { readLog, type ReadOptions } from "@longshore/logs";
import type { Duplex } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { RoutePlugin } from "../engine.ts";
import { hijack, multiplexedStream, rawStream } from "../server/hijack.ts";
import { Query } from "../server/query.ts";
import { readBody } from "../server/body.ts";
import { speaks } from "../server/request.ts";
import { parameter } from "./parameters.ts";

/** Errors before the connection is taken over are plain text on it, as Docker's are. */
function refuse(reply: FastifyReply, contentType: string, error: unknown): void {
  const status = httpStatusOf(error);
  void reply.code(status).header("Content-Type", contentType).send(`${messageOf(error)}\r\n`);
}

/** What is stored already, for `logs=1`. */
async function replay(container: Container, socket: Duplex, streams: { stdout: boolean; stderr: boolean }, log: Logger): Promise<void> {
  const options: ReadOptions = { tail: -1, follow: false, ended: AbortSignal.abort(), signal: new AbortController().signal, damaged: (damage) => noteLogDamage(container, damage, log) };
  const show = { ...streams, framed: !container.record.Config.Tty, timestamps: false, details: false, since: 0n, until: 0n };
  for await (const bytes of readLog(container.record.LogPath, options, show)) socket.write(bytes);
}

export const attachRoutes: RoutePlugin = (app, { containers, log }) => {
  app.post("/containers/:name/attach", async (request: FastifyRequest, reply) => {
    await readBody(request);
    const query = new Query(request);
    let container: Container;
    let detachKeys: readonly number[];
    try {
      container = containers.store.get(parameter(request, "name"));
      checkAttachable(container, parameter(request, "name"));
      detachKeys = parseDetachKeys(query.get("detachKeys"));
    } catch (error) {
      return refuse(reply, rawStream, error);
    }
    const multiplexed = !container.record.Config.Tty && speaks(request, "1.42");
    const { socket, upgraded } = hijack(request, reply, multiplexed ? multiplexedStream : rawStream);
    const wants = { stdout: query.bool("stdout"), stderr: query.bool("stderr") };
    try {
      if (query.bool("logs")) await replay(container, socket, wants, log);
      if (query.bool("stream")) {
        const stdin = query.bool("stdin") && container.record.Config.OpenStdin && upgraded;
        const keys = container.record.Config.Tty ? detachKeys : query.get("detachKeys") === "" ? [] : detachKeys;
        await attachContainer(containers, container, new Attachment({ ...wants, stdin, detachKeys: keys }, socket));
      }
    } catch (error) {
      log.warn({ err: error, container: container.id }, "attach");
      socket.write(frame(stdoutStream, Buffer.from(`Error attaching: ${messageOf(error)}\n`)));
    }
    socket.end();
    return reply;
  });
};
