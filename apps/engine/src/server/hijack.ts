import { ServerResponse, type IncomingMessage, type Server } from "node:http";
import type { Duplex } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";

/** Sockets of requests that asked to switch protocols; Node's parser has let go of them. */
const upgraded = new WeakMap<IncomingMessage, Duplex>();

/**
 * Feeds requests with `Connection: Upgrade` through the same routes as all others. The route may
 * take the connection over with `hijack`, or answer in HTTP; the connection is closed then.
 */
export function serveUpgrades(server: Server, route: (request: IncomingMessage, response: ServerResponse) => void): void {
  server.on("upgrade", (request, socket, head) => {
    upgraded.set(request, socket);
    if (head.length > 0) socket.unshift(head);
    // An unhandled reset of a client must not end the daemon.
    socket.on("error", () => socket.destroy());
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as never);
    response.once("finish", () => socket.end());
    route(request, response);
  });
}

export interface Hijacked {
  /** Raw bytes both ways; its `end` event is the client's half-close. */
  readonly socket: Duplex;
  /** Whether the client asked to upgrade; without, nothing can be read from it. */
  readonly upgraded: boolean;
}

/**
 * Takes the connection over: writes the answer's head raw and gives the socket away.
 * @param contentType is what an upgrading client gets; others get the raw stream's
 * @param headers are more header lines for the answer
 */
export function hijack(request: FastifyRequest, reply: FastifyReply, contentType: string, headers: Record<string, string> = {}): Hijacked {
  const socket = upgraded.get(request.raw);
  reply.hijack();
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  if (socket === undefined) {
    const plain = request.raw.socket;
    plain.write(`HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n${lines.join("")}\r\n`);
    return { socket: plain, upgraded: false };
  }
  reply.raw.detachSocket(socket as never);
  const protocol = request.headers.upgrade ?? "tcp";
  socket.write(`HTTP/1.1 101 UPGRADED\r\nContent-Type: ${contentType}\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n${lines.join("")}\r\n`);
  return { socket, upgraded: true };
}

/** Takes the connection of an upgrade over as it is, for who answers it; undefined when no other protocol was asked for. */
export function takeUpgrade(request: FastifyRequest, reply: FastifyReply): Duplex | undefined {
  const socket = upgraded.get(request.raw);
  if (socket === undefined) return undefined;
  reply.hijack();
  reply.raw.detachSocket(socket as never);
  return socket;
}

export const rawStream = "application/vnd.docker.raw-stream";
export const multiplexedStream = "application/vnd.docker.multiplexed-stream";
