import {
  Attachment,
  type AttachRequest,
  attachContainer,
  checkAttachable,
  type Container,
  type Context,
  emitContainer,
  frame,
  logReplay,
  parseDetachKeys,
  stdoutStream,
} from "@longshore/containers";
import { httpStatusOf, messageOf } from "@longshore/errdefs";
import type { Duplex } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { confined } from "../../access/route-access.ts";
import { visible } from "../../access/visible.ts";
import type { RoutePlugin } from "../../engine.ts";
import { hijack, multiplexedStream, rawStream } from "../../server/takeover/hijack.ts";
import { Query } from "../../server/query/query.ts";
import { discardBody } from "../../server/body/body.ts";
import { speaks } from "../../server/request.ts";
import { acceptWebSocket } from "../../server/takeover/websocket.ts";
import { parameter } from "../parameters.ts";

/** Errors before the connection is taken over are plain text on it, as Docker's are. */
function refuse(reply: FastifyReply, contentType: string, error: unknown): void {
  const status = httpStatusOf(error);
  void reply
    .code(status)
    .header("Content-Type", contentType)
    .send(`${messageOf(error)}\r\n`);
}

/** What both ways to attach have in common, once the connection stands. */
async function serve(
  context: Context,
  container: Container,
  client: Duplex,
  query: Query,
  request: AttachRequest,
): Promise<void> {
  const replay = query.bool("logs") ? logReplay(container, client, request, context.log) : undefined;
  if (query.bool("stream"))
    return attachContainer(
      context,
      container,
      new Attachment({ ...request, log: replay !== undefined }, client),
      replay,
    );
  emitContainer(context, container, "attach");
  const log = await replay?.open(undefined);
  try {
    await log?.show();
  } finally {
    await log?.close();
  }
}

/** The container of an attach, and the keys that detach from it; without a terminal there are none, whatever is named. */
function target(
  context: Context,
  request: FastifyRequest,
  query: Query,
): { container: Container; detachKeys: readonly number[] } {
  const container = visible(request, context).get(parameter(request, "name"));
  checkAttachable(container, parameter(request, "name"));
  const keys = parseDetachKeys(query.get("detachKeys"));
  return { container, detachKeys: container.record.Config.Tty ? keys : [] };
}

export const attachRoutes: RoutePlugin = (app, { containers, log }) => {
  app.post("/containers/:name/attach", confined, async (request: FastifyRequest, reply) => {
    await discardBody(request);
    const query = new Query(request);
    let found: ReturnType<typeof target>;
    try {
      found = target(containers, request, query);
    } catch (error) {
      return refuse(reply, rawStream, error);
    }
    const { container, detachKeys } = found;
    const multiplexed = !container.record.Config.Tty && speaks(request, "multiplexedMediaType");
    const socket = hijack(request, reply, multiplexed ? multiplexedStream : rawStream);
    const stdin = query.bool("stdin") && container.record.Config.OpenStdin;
    try {
      await serve(containers, container, socket, query, {
        stdout: query.bool("stdout"),
        stderr: query.bool("stderr"),
        stdin,
        detachKeys,
      });
    } catch (error) {
      log.warn({ err: error, container: container.id }, "attach");
      socket.write(frame(stdoutStream, Buffer.from(`Error attaching: ${messageOf(error)}\n`)));
    }
    socket.end();
    return reply;
  });

  app.get("/containers/:name/attach/ws", { config: { confined: true, changes: true } }, async (request, reply) => {
    const query = new Query(request);
    const { container, detachKeys } = target(containers, request, query);
    const client = await acceptWebSocket(request, reply, {
      multiplexed: !container.record.Config.Tty,
      binary: speaks(request, "webSocketBinary"),
    });
    // Older clients did not say which streams they want: all of them.
    const wants = (stream: string): boolean => !speaks(request, "webSocketStreams") || query.bool(stream);
    const stdin = wants("stdin") && container.record.Config.OpenStdin;
    try {
      await serve(containers, container, client, query, {
        stdout: wants("stdout"),
        stderr: wants("stderr"),
        stdin,
        detachKeys,
      });
    } catch (error) {
      log.warn({ err: error, container: container.id }, "attach by web socket");
    }
    client.end();
    return reply;
  });
};
