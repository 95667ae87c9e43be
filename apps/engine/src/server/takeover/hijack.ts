import type { Socket } from "node:net";
import { InvalidArgument } from "@longshore/errdefs";
import type { FastifyReply, FastifyRequest } from "fastify";
import { takenConnection } from "./takeover.ts";

/**
 * Takes the connection over: writes the answer's head raw and gives the socket away: raw bytes both
 * ways; its `end` event is the client's half-close.
 * @param contentType is what an upgrading client gets; others get the raw stream's
 * @param headers are more header lines for the answer
 */
export function hijack(
  request: FastifyRequest,
  reply: FastifyReply,
  contentType: string,
  headers: Record<string, string> = {},
): Socket {
  const upgrading = request.headers.upgrade !== undefined;
  const socket = takeConnection(request, reply, upgrading ? 101 : 200);
  const head = upgrading
    ? [`HTTP/1.1 101 UPGRADED`, `Content-Type: ${contentType}`, "Connection: Upgrade", "Upgrade: tcp"]
    : ["HTTP/1.1 200 OK", `Content-Type: ${rawStream}`];
  const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.write(`${[...head, ...more].join("\r\n")}\r\n\r\n`);
  return socket;
}

/**
 * Takes the connection over as it is, for who answers the request himself, with this status.
 * @throws InvalidArgument when HTTP has not let go of it, see `serveTakeovers`
 */
export function takeConnection(request: FastifyRequest, reply: FastifyReply, status: number): Socket {
  const socket = takenConnection(request.raw)?.socket;
  if (socket === undefined) throw new InvalidArgument("this connection cannot be taken over");
  reply.hijack();
  reply.raw.statusCode = status;
  reply.raw.detachSocket(socket);
  return socket;
}

export const rawStream = "application/vnd.docker.raw-stream";
export const multiplexedStream = "application/vnd.docker.multiplexed-stream";
