import type { Container, ContainersBackend } from "@longshore/containers";
import { httpStatusOf, messageOf } from "@longshore/errdefs";
import type { FastifyReply, FastifyRequest } from "fastify";
import { confined } from "../../access/route-access.ts";
import { visible } from "../../access/visible.ts";
import type { RoutePlugin } from "../../backends.ts";
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

/** The container of an attach, and the keys that detach from it. */
function target(
  containers: ContainersBackend,
  request: FastifyRequest,
  query: Query,
): { container: Container; detachKeys: readonly number[] } {
  const name = parameter(request, "name");
  const container = visible(request, containers).get(name);
  return { container, detachKeys: containers.attachKeys(container, name, query.get("detachKeys")) };
}

export const attachRoutes: RoutePlugin = (app, { containers }) => {
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
    await containers.attach(container, socket, {
      stdout: query.bool("stdout"),
      stderr: query.bool("stderr"),
      stdin: query.bool("stdin") && container.record.Config.OpenStdin,
      logs: query.bool("logs"),
      stream: query.bool("stream"),
      detachKeys,
      tellErrors: true,
    });
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
    await containers.attach(container, client, {
      stdout: wants("stdout"),
      stderr: wants("stderr"),
      stdin: wants("stdin") && container.record.Config.OpenStdin,
      logs: query.bool("logs"),
      stream: query.bool("stream"),
      detachKeys,
      tellErrors: false,
    });
    return reply;
  });
};
