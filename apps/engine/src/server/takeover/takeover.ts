import { type IncomingMessage, type RequestListener, type Server, ServerResponse } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import { readTarget } from "../request.ts";
import { hasBody, readSocketBody } from "../body/socket-body.ts";

/** A connection whose request was its last: what follows the request's body belongs to the route. */
export interface TakenConnection {
  readonly socket: Socket;
  /** The body of the request; to be read before anything else of the socket. */
  readonly body: AsyncIterable<Buffer>;
}

const taken = new WeakMap<IncomingMessage, TakenConnection>();
const takenSockets = new WeakSet<Socket>();

/** The connection of a request that may take it over; undefined for all others. */
export function takenConnection(request: IncomingMessage): TakenConnection | undefined {
  return taken.get(request);
}

/** Whether HTTP has let go of a connection. */
export function isTaken(socket: Socket): boolean {
  return takenSockets.has(socket);
}

/** Routes whose answer may be a stream both ways. One that does not come to that answers in HTTP all the same. */
const streams: Record<string, RegExp> = {
  POST: /^\/(?:containers\/[^/]+\/attach|exec\/[^/]+\/start)$/,
  GET: /^\/containers\/[^/]+\/attach\/ws$/,
};

function mayTakeOver(request: IncomingMessage): boolean {
  return streams[request.method ?? ""]?.test(readTarget(request)) === true;
}

/** What Node's HTTP parser is of use for here. */
interface Parser {
  /** Told the head of each request; what it returns goes to llhttp. */
  onIncoming: (request: IncomingMessage, keepAlive: boolean) => number;
}

/** llhttp: no body is read, and nothing behind it is parsed as a further request. */
const stopParsing = 2;

/**
 * Takes connections from Node's HTTP parser as soon as the head of a request for attach or exec
 * has been read, with `Upgrade` headers or without: otherwise the first bytes of input would be
 * parsed as a further request. They go through the same routes as all others, which take them over
 * with `hijack`, or answer in HTTP; the connection is closed then.
 * @param connected is the event of the server for a new connection
 */
export function serveTakeovers(
  server: Server | HttpsServer,
  connected: "connection" | "secureConnection",
  route: RequestListener,
): void {
  server.on(connected, (socket: Socket) => {
    const parser = Reflect.get(socket, "parser") as Parser;
    const { onIncoming } = parser;
    parser.onIncoming = (request, keepAlive) => {
      // llhttp reads nothing more behind a request for another protocol, whoever serves it.
      if (!mayTakeOver(request)) return onIncoming(request, keepAlive && request.headers.upgrade === undefined);
      Reflect.set(request, "upgrade", true);
      return stopParsing;
    };
  });
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    takenSockets.add(socket);
    if (head.length > 0) socket.unshift(head);
    // An unhandled reset of a client must not end the daemon.
    socket.on("error", () => socket.destroy());
    void afterEarlier(socket).then(() => serve(request, socket, route));
  });
}

/** Answers go in the order of their requests: waits for those to requests that came before. */
export async function afterEarlier(socket: Socket): Promise<void> {
  for (;;) {
    const earlier = Reflect.get(socket, "_httpMessage") as ServerResponse | null | undefined;
    if (earlier === null || earlier === undefined || socket.destroyed) return;
    await new Promise<void>((resolve) => {
      earlier.once("close", resolve);
      socket.once("close", resolve);
    });
  }
}

function serve(request: IncomingMessage, socket: Socket, route: RequestListener): void {
  if (socket.destroyed) return;
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  // What the client sends beyond that is read and forgotten, so that its end is seen.
  response.once("finish", () => socket.end().resume());
  if (hasBody(request.headers) && request.headers.expect?.toLowerCase() === "100-continue") response.writeContinue();
  taken.set(request, { socket, body: readSocketBody(socket, request.headers) });
  route(request, response);
}
